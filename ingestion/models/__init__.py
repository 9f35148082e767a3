"""Tables of ingestion: facts, dimensions, prices, attribute rules, logs, ingest outcomes, unfinished calls."""

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
from ingestion.models.rules import AttributeRule

__all__ = [
    "OVERFLOW",
    "AttributeRule",
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
