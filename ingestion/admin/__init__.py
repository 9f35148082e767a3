"""Administration of ingest at `/admin/`: the price book, repricing, names seen in traffic, requests and outcomes."""

from ingestion.admin import dimensions, prices, repricing, requests

__all__ = ["dimensions", "prices", "repricing", "requests"]
