"""Tables of ingestion: facts, dimensions, the price book, attribute rules, the changed-hour log, ingest outcomes."""

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
    "MetadataKey",
    "MetadataValue",
    "PriceEntry",
    "VirtualModel",
]
