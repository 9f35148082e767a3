"""The HTTP side of ingest."""

from ingestion.views import mapping, otlp, pages
from ingestion.views.endpoints import ingest_envoy, ingest_litellm, ingest_native

__all__ = ["ingest_envoy", "ingest_litellm", "ingest_native", "mapping", "otlp", "pages"]
