"""Rollups: facts to hours, hours to days. Always recomputed, never incremented; safe to run twice, late, at once."""

from analytics.rollups.drain import Drained, drain, rebuild
from analytics.rollups.verification import Difference, Verification, verify

__all__ = ["Difference", "Drained", "Verification", "drain", "rebuild", "verify"]
