"""The HTTP side of ingest."""

from ingestion.views import langfuse, otlp, pages
from ingestion.views.endpoints import ingest_litellm, ingest_native

__all__ = ["ingest_litellm", "ingest_native", "langfuse", "otlp", "pages"]
