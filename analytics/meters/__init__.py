"""Costs taken apart by token class: what the lines of a FOCUS file are made of."""
