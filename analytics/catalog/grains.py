"""The lattice of grains: combinations of dimensions that are pre-aggregated. Adding one: an entry, then a rebuild."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Grain:
    """A combination of axes (fact columns) for which aggregates are kept, at hour and at day.

    `per_metadata_key`: one set of rows per registered key, with the axis `metadata_value_id`.
    `only_failed`: holds failed requests only.
    """

    name: str
    axes: tuple[str, ...]
    per_metadata_key: bool = False
    only_failed: bool = False


# Smallest first: the planner takes the first that covers the question. Row counts: docs/decisions/0002.
GRAINS: Final = (
    Grain("model", ("model_id", "virtual_model_id")),
    Grain("virtual_model", ("team_id", "virtual_model_id", "model_id")),
    Grain("account", ("team_id", "virtual_account_id", "model_id")),
    Grain("user", ("team_id", "user_id", "model_id")),
    Grain("metadata", ("metadata_value_id", "team_id", "model_id"), per_metadata_key=True),
    Grain(
        "failures",
        (
            "team_id",
            "user_id",
            "virtual_account_id",
            "model_id",
            "virtual_model_id",
            "status_code",
            "error_type_id",
        ),
        only_failed=True,
    ),
)
AXES: Final = (
    "team_id",
    "virtual_account_id",
    "user_id",
    "model_id",
    "virtual_model_id",
    "metadata_value_id",
    "error_type_id",
    "status_code",
)
