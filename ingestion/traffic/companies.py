"""What an invented company consists of, and the small one of demonstrations. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ingestion.traffic import profile, targets
from ingestion.traffic.profile import Source
from ingestion.traffic.targets import Model, VirtualModel

Prices = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Label:
    """A metadata key whose values have nothing to do with who calls: they are drawn by rank, Zipf's law."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """Who calls what, at which prices (US dollars per million tokens). Compared by identity: there is one of each."""

    name: str
    teams: tuple[str, ...]
    users: tuple[str, ...]
    contractors: int
    """The last so many users belong to no team."""
    tenants: tuple[str, ...]
    environments: tuple[str, ...]
    sources: tuple[Source, ...]
    models: tuple[Model, ...]
    virtual_models: tuple[VirtualModel, ...]
    prices: Prices
    long_prompt_prices: Prices
    batch_prices: Prices
    changed_prices: Prices
    labels: tuple[Label, ...] = ()

    def team_of_user(self, position: int) -> int | None:
        """Position of the primary team of the user at that position; None for contractors."""
        return position % len(self.teams) if position < len(self.users) - self.contractors else None


SMALL: Final = Company(
    name="small",
    teams=profile.TEAMS,
    users=profile.USERS,
    contractors=2,
    tenants=profile.TENANTS,
    environments=profile.ENVIRONMENTS,
    sources=profile.APPLICATIONS + profile.PEOPLE,
    models=targets.MODELS,
    virtual_models=targets.VIRTUAL_MODELS,
    prices=targets.PRICES,
    long_prompt_prices=targets.LONG_PROMPT_PRICES,
    batch_prices=targets.BATCH_PRICES,
    changed_prices=targets.CHANGED_PRICES,
)
