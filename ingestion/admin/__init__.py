"""Administration of ingest at `/admin/`: the price book, names seen in traffic, requests and outcomes to look at."""

from ingestion.admin import dimensions, prices, requests

__all__ = ["dimensions", "prices", "requests"]
