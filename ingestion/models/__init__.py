"""Tables of ingestion: facts, dimensions, the price book, the changed-hour log, ingest outcomes, runs of repricing."""

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
from ingestion.models.repricing import RepriceRun

__all__ = [
    "OVERFLOW",
    "ChangedHour",
    "ErrorType",
    "GatewayUser",
    "IngestBatch",
    "LLMModel",
    "LLMRequest",
    "MetadataKey",
    "MetadataValue",
    "PriceEntry",
    "RepriceRun",
    "VirtualModel",
]
