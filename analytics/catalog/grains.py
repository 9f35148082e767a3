"""The lattice of grains: combinations of dimensions that are pre-aggregated. Adding one: an entry, then a rebuild."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Grain:
    """A combination of axes (fact columns) for which aggregates are kept, at hour and at day.

    `per_metadata_key`: one set of cells per registered key, with the axis `metadata_value_id`.
    `only_failed`: holds failed requests only. `parent`: the grain from whose cells it is added up, instead of facts.
    `quarters`: while the requests of an hour are kept, there are cells of its quarters as well, see `QUARTERS`.
    The first axis is the one that most questions pick a few values of: cells are sorted, so those lie together.
    """

    name: str
    axes: tuple[str, ...]
    per_metadata_key: bool = False
    only_failed: bool = False
    parent: str = ""
    quarters: bool = False


# Of those that cover a question the planner takes the one with the fewest cells: docs/decisions/0009.
GRAINS: Final = (
    Grain("team_model", ("team_id", "virtual_model_id", "model_id"), quarters=True),
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
    Grain("team", ("team_id",), parent="team_model", quarters=True),
    Grain("model", ("model_id", "virtual_model_id"), parent="team_model", quarters=True),
    Grain("total", (), parent="team", quarters=True),
    Grain("team_account", ("team_id", "virtual_account_id"), parent="account", quarters=True),
    Grain("team_user", ("team_id", "user_id"), parent="user"),
    Grain("team_metadata", ("team_id", "metadata_value_id"), per_metadata_key=True, parent="metadata", quarters=True),
    Grain("errors", ("team_id", "status_code", "error_type_id"), only_failed=True, parent="failures", quarters=True),
)
QUARTER: Final = "quarter"
"""Axis of a quarter of an hour: its number since 1970. Local hours begin with one in every zone."""
QUARTER_SECONDS: Final = 900


def by_quarter(name: str) -> str:
    """Name of the cells of a grain by quarter of an hour."""
    return f"{name}/4"


# Of few cells: of callers there would be nearly as many as requests (docs/decisions/0011). Rows of hours, for one hour
# each, beside those of the grain itself; there are none of days.
QUARTERS: Final = tuple(
    Grain(by_quarter(one.name), (QUARTER, *one.axes), one.per_metadata_key, one.only_failed, parent)
    for one in GRAINS
    if one.quarters
    for parent in [by_quarter(one.parent) if any(one.parent == two.name and two.quarters for two in GRAINS) else ""]
)
BY_NAME: Final = {grain.name: grain for grain in (*GRAINS, *QUARTERS)}
REQUESTS: Final = "requests"
"""Name under which the requests of an hour are kept one by one, as columns, for questions that no grain covers."""
WITH_REQUESTS: Final = (REQUESTS, *(grain.name for grain in QUARTERS))
"""Names of the rows of an hour that stay as long as its requests do, not as long as hours."""
