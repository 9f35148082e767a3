"""Chargeback: what each team used and cost in a month, frozen at close and mailed to those who answer for it."""
