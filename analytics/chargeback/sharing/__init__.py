"""Costs that no team caused alone, split between teams by a rule: lines that add up to zero over all statements."""
