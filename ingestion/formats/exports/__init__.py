"""Exports of other products: each maps its rows, `base` makes a format of them that reads JSON, CSV or both."""

from ingestion.formats.exports.envoy import ENVOY
from ingestion.formats.exports.helicone import HELICONE
from ingestion.formats.exports.langfuse import LANGFUSE
from ingestion.formats.exports.litellm_spend import LITELLM_SPEND
from ingestion.formats.exports.openrouter import OPENROUTER
from ingestion.formats.exports.portkey import PORTKEY

__all__ = ["ENVOY", "HELICONE", "LANGFUSE", "LITELLM_SPEND", "OPENROUTER", "PORTKEY"]
