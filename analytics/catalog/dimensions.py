"""Every dimension a question can group or filter by: one entry each, for page, API, export, e-mail and docs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import models

from analytics.catalog.columns import COST_STATES, FAILURE_CLASSES
from ingestion.models import ErrorType, GatewayUser, LLMModel, MetadataKey, MetadataValue, VirtualModel
from ingestion.records import Operation
from teams.models import Team, VirtualAccount

METADATA_PREFIX: Final = "metadata."
NO_VALUE: Final = "(none)"
UNASSIGNED: Final = "Unassigned"


class ValueType(StrEnum):
    """What the values of a dimension are; decides the operators."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing to group or filter by.

    `axis` is the integer column it lives in, on facts and (when a grain has it) on aggregates. `table` and
    `attribute` turn ids into labels; `codes` does so for closed lists; neither: the number itself is the value.
    """

    name: str
    api_name: str
    label: str
    axis: str
    value_type: ValueType = ValueType.TEXT
    table: type[models.Model] | None = None
    attribute: str = "name"
    codes: tuple[str, ...] = ()
    groupable: bool = True
    empty: str = NO_VALUE
    key_id: int | None = None
    aliases: tuple[str, ...] = ()
    plural: str = ""


_BOOLEANS: Final = ("false", "true")

DIMENSIONS: Final = (
    Dimension("model", "modelName", "Model", "model_id", table=LLMModel, plural="Models"),
    Dimension("provider", "providerName", "Provider", "model_id", table=LLMModel, attribute="provider"),
    Dimension(
        "virtual_model",
        "virtualModel",
        "Virtual model",
        "virtual_model_id",
        table=VirtualModel,
        aliases=("virtualModelName",),
        plural="Virtual models",
    ),
    Dimension("user", "userEmail", "User", "user_id", table=GatewayUser, plural="Users"),
    Dimension(
        "virtual_account",
        "virtualaccount",
        "Virtual account",
        "virtual_account_id",
        table=VirtualAccount,
        plural="Virtual accounts",
    ),
    Dimension("team", "team", "Team", "team_id", table=Team, empty=UNASSIGNED, plural="Teams"),
    Dimension("status_code", "errorCode", "Status code", "status_code", ValueType.NUMBER, aliases=("httpStatusCode",)),
    Dimension("error_type", "errorType", "Error type", "error_type_id", table=ErrorType),
    Dimension("failure_class", "failureClass", "Failure class", "failure_class", codes=FAILURE_CLASSES),
    Dimension("failed", "isFailure", "Failed", "failed", ValueType.BOOLEAN, codes=_BOOLEANS),
    Dimension("operation", "requestType", "Operation", "operation", codes=tuple(Operation)),
    Dimension("streaming", "streaming", "Streaming", "streaming", ValueType.BOOLEAN, codes=_BOOLEANS),
    Dimension("cost_state", "costState", "Cost state", "cost_state", codes=COST_STATES),
    Dimension("latency_ms", "latencyMs", "Latency (ms)", "latency_us", ValueType.NUMBER, groupable=False),
    Dimension("input_tokens", "inputTokens", "Input tokens", "input_tokens", ValueType.NUMBER, groupable=False),
    Dimension("output_tokens", "outputTokens", "Output tokens", "output_tokens", ValueType.NUMBER, groupable=False),
    Dimension("cost_usd", "costInUSD", "Cost (USD)", "cost", ValueType.MONEY, groupable=False),
    Dimension("trace_id", "traceId", "Trace", "trace_id", groupable=False),
    Dimension("request_id", "requestId", "Request", "request_id", groupable=False),
)
BY_NAME: Final = {dimension.name: dimension for dimension in DIMENSIONS}
BY_API_NAME: Final = {name: one for one in DIMENSIONS for name in (one.api_name, *one.aliases)}
VIEWS: Final = ("model", "virtual_model", "user", "virtual_account", "team")
"""Dimensions of View by, in its order; metadata keys follow."""


def metadata_dimension(key: MetadataKey) -> Dimension:
    """The dimension of one registered metadata key."""
    name = METADATA_PREFIX + key.name
    return Dimension(name, name, key.name, "metadata_value_id", table=MetadataValue, key_id=key.pk)


def registered_keys(organization_id: int) -> list[MetadataKey]:
    """The metadata keys of the organization that are aggregated, in order of name. For viewers: `query.keys`."""
    return list(MetadataKey.objects.filter(organization_id=organization_id, registered=True).order_by("name"))
