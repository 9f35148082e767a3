"""Administration of ingest: prices, repricing, attribute rules, names seen in traffic, requests, outcomes."""

from ingestion.admin import dimensions, prices, repricing, requests, rules

__all__ = ["dimensions", "prices", "repricing", "requests", "rules"]
