"""Administration of ingest at `/admin/`: prices, attribute rules, names seen in traffic, requests and outcomes."""

from ingestion.admin import dimensions, prices, requests, rules

__all__ = ["dimensions", "prices", "requests", "rules"]
