"""Tables of ingestion: facts, dimensions, prices and repricing, rules, logs, outcomes, unfinished calls, uploads."""

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
from ingestion.models.repricing import RepriceRun
from ingestion.models.rules import AttributeRule
from ingestion.models.uploads import Upload

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
    "RepriceRun",
    "Upload",
    "VirtualModel",
]
