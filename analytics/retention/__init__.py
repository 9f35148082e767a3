"""Retention: single requests and aggregates of hours go when they are old; what they add up to stays as it is."""

from analytics.retention.passes import Expected, Passed, expected, purge, purge_all

__all__ = ["Expected", "Passed", "expected", "purge", "purge_all"]
