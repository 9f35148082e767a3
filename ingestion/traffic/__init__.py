"""Deterministic, realistic traffic of an invented company, for demonstrations, tests and benchmarks."""

from ingestion.traffic.assembly import generate
from ingestion.traffic.calendar import Calendar, plan

__all__ = ["Calendar", "generate", "plan"]
