"""The vocabularies of spans, in the order in which they are tried: the first whose words a span uses reads it."""

from typing import Final

from ingestion.formats.otlp.dialects.base import Dialect
from ingestion.formats.otlp.dialects.genai import GENAI
from ingestion.formats.otlp.dialects.langfuse import LANGFUSE
from ingestion.formats.otlp.dialects.litellm import LITELLM
from ingestion.formats.otlp.dialects.openinference import OPENINFERENCE
from ingestion.formats.otlp.dialects.truefoundry import TRUEFOUNDRY
from ingestion.formats.otlp.dialects.vercel import VERCEL

__all__ = ["DIALECTS", "Dialect"]

DIALECTS: Final = (TRUEFOUNDRY, LANGFUSE, OPENINFERENCE, VERCEL, LITELLM, GENAI)
