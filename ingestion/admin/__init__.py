"""Administration of ingest: prices and terms, repricing, attribute rules, names seen in traffic, requests, outcomes."""

from ingestion.admin import dimensions, prices, repricing, requests, rules, terms

__all__ = ["dimensions", "prices", "repricing", "requests", "rules", "terms"]
