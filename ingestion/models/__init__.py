"""Tables of ingestion: facts, dimensions, the price book, the changed-hour log, ingest outcomes, unfinished calls."""

from ingestion.models.dimensions import (
    OVERFLOW,
    ErrorType,
    GatewayUser,
    LLMModel,
    MetadataKey,
    MetadataValue,
    VirtualModel,
)
from ingestion.models.facts import LLMRequest
from ingestion.models.langfuse import LangfuseObservation, LangfuseTrace
from ingestion.models.logs import ChangedHour, IngestBatch
from ingestion.models.prices import PriceEntry

__all__ = [
    "OVERFLOW",
    "ChangedHour",
    "ErrorType",
    "GatewayUser",
    "IngestBatch",
    "LLMModel",
    "LLMRequest",
    "LangfuseObservation",
    "LangfuseTrace",
    "MetadataKey",
    "MetadataValue",
    "PriceEntry",
    "VirtualModel",
]
