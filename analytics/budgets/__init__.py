"""Budgets: what they count, how far they are used, who is told when, once each. The figures are the dashboard's."""
