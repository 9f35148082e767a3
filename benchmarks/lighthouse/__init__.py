"""Scores of Lighthouse for pages of a running portal."""
