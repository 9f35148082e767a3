"""The lattice of grains: combinations of dimensions that are pre-aggregated. Adding one: an entry, then a rebuild."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Grain:
    """A combination of axes (fact columns) for which aggregates are kept, at hour and at day.

    `per_metadata_key`: one set of cells per registered key, with the axis `metadata_value_id`.
    `only_failed`: holds failed requests only. `parent`: the grain from whose cells it is added up, instead of facts.
    The first axis is the one that most questions pick a few values of: cells are sorted, so those lie together.
    """

    name: str
    axes: tuple[str, ...]
    per_metadata_key: bool = False
    only_failed: bool = False
    parent: str = ""


# Of those that cover a question the planner takes the one with the fewest cells: docs/decisions/0009.
GRAINS: Final = (
    Grain("team_model", ("team_id", "virtual_model_id", "model_id")),
    Grain("account", ("model_id", "team_id", "virtual_account_id")),
    Grain("user", ("model_id", "team_id", "user_id")),
    Grain("metadata", ("model_id", "team_id", "metadata_value_id"), per_metadata_key=True),
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
    Grain(
        "metadata_errors",
        ("model_id", "team_id", "metadata_value_id", "status_code", "error_type_id"),
        per_metadata_key=True,
        only_failed=True,
    ),
    Grain("team", ("team_id",), parent="team_model"),
    Grain("model", ("model_id", "virtual_model_id"), parent="team_model"),
    Grain("total", (), parent="team"),
    Grain("team_account", ("team_id", "virtual_account_id"), parent="account"),
    Grain("team_user", ("team_id", "user_id"), parent="user"),
    Grain("team_metadata", ("team_id", "metadata_value_id"), per_metadata_key=True, parent="metadata"),
    Grain("errors", ("team_id", "status_code", "error_type_id"), only_failed=True, parent="failures"),
)
BY_NAME: Final = {grain.name: grain for grain in GRAINS}
REQUESTS: Final = "requests"
"""Name under which the requests of an hour are kept one by one, as columns, for questions that no grain covers."""
