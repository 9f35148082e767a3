"""Rollups: facts to hours, hours to days. Always recomputed, never incremented; safe to run twice, late, at once."""

from analytics.rollups.drain import Drained, drain, rebuild
from analytics.rollups.verify import Difference, verify

__all__ = ["Difference", "Drained", "drain", "rebuild", "verify"]
