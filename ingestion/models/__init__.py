"""Tables of ingestion: facts, names, merges, prices, terms, repricing, rules, logs, calls, uploads, watermarks."""

from ingestion.models.dimensions import (
    OVERFLOW,
    ErrorType,
    GatewayUser,
    KeyOfCaller,
    KeyOfTeam,
    LLMModel,
    MetadataKey,
    MetadataValue,
    VirtualModel,
)
from ingestion.models.facts import LLMRequest
from ingestion.models.langfuse import LangfuseObservation, LangfuseTrace
from ingestion.models.logs import ChangedHour, IngestBatch
from ingestion.models.merging import Merge
from ingestion.models.prices import PriceEntry
from ingestion.models.repricing import RepriceRun
from ingestion.models.retention import Watermark
from ingestion.models.rules import AttributeRule
from ingestion.models.terms import CostPolicy, ModelAlias, PriceAdjustment
from ingestion.models.uploads import Upload

__all__ = [
    "OVERFLOW",
    "AttributeRule",
    "ChangedHour",
    "CostPolicy",
    "ErrorType",
    "GatewayUser",
    "IngestBatch",
    "KeyOfCaller",
    "KeyOfTeam",
    "LLMModel",
    "LLMRequest",
    "LangfuseObservation",
    "LangfuseTrace",
    "Merge",
    "MetadataKey",
    "MetadataValue",
    "ModelAlias",
    "PriceAdjustment",
    "PriceEntry",
    "RepriceRun",
    "Upload",
    "VirtualModel",
    "Watermark",
]
