"""The HTTP side of ingest."""

from ingestion.views import otlp, pages, uploads
from ingestion.views.endpoints import ingest_litellm, ingest_native

__all__ = ["ingest_litellm", "ingest_native", "otlp", "pages", "uploads"]
