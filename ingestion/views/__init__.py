"""The HTTP side of ingest."""

from ingestion.views import langfuse, mapping, otlp, pages, uploads
from ingestion.views.endpoints import ingest_envoy, ingest_litellm, ingest_native

__all__ = ["ingest_envoy", "ingest_litellm", "ingest_native", "langfuse", "mapping", "otlp", "pages", "uploads"]
