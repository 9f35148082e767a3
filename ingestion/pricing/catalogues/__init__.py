"""Readers of price catalogues: a source becomes proposed prices and a list of what is left out and why. Pure."""
