"""Deterministic, realistic traffic of invented companies, for demonstrations, tests and benchmarks."""

from typing import Final

from ingestion.traffic.assembly import generate
from ingestion.traffic.calendar import Calendar, plan
from ingestion.traffic.companies import SMALL, Company
from ingestion.traffic.large import LARGE

COMPANIES: Final = {company.name: company for company in (SMALL, LARGE)}
"""By name."""

__all__ = ["COMPANIES", "Calendar", "Company", "generate", "plan"]
