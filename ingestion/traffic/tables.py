"""A company as arrays, indexed by the positions of sources, models and virtual models. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np

from ingestion.traffic.calendar import Floats, Ints
from ingestion.traffic.companies import Company
from ingestion.traffic.profile import ZIPF, Source
from ingestion.traffic.targets import OUTCOMES


class Choice:
    """A weighted choice of a column per row of a table."""

    def __init__(self, weights: Sequence[Sequence[float]]) -> None:
        table = np.array(weights, dtype=np.float64)
        running = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        self.width = table.shape[1]
        self._borders = (running + np.arange(len(table))[:, None]).ravel()

    def pick(self, rows: Ints, rng: np.random.Generator) -> Ints:
        """One column for each of `rows`, by the weights of its table row."""
        found = np.searchsorted(self._borders, rows + rng.random(len(rows)), side="right")
        # row + 0.99… may round up to the next row.
        columns: Ints = np.minimum(found - rows * self.width, self.width - 1)
        return columns


class Tables:
    """Every choice and figure that the drawing of an hour looks up; made once for a company."""

    def __init__(self, company: Company) -> None:
        sources, models = company.sources, company.models
        self.model_names = tuple(model.name for model in models)
        self.asks = (*(alias.name for alias in company.virtual_models), *self.model_names)
        """What a call may name: virtual models first, then models."""
        self.aliases = len(company.virtual_models)
        self.no_tenant = len(company.tenants)
        self.asked = Choice([[source.asks.get(name, 0.0) for name in self.asks] for source in sources])
        self.environment = Choice([source.environments for source in sources])
        self.tenant = Choice([_tenants(company, source) for source in sources])
        self.user = Choice([_people(company, source) for source in sources])
        self.labels = tuple(Choice([_ranks(len(label.values))]) for label in company.labels)
        self.target_before = self._targets(alias.before for alias in company.virtual_models)
        self.target_after = self._targets(alias.after for alias in company.virtual_models)
        self.fallback = self._fallbacks(company)
        self.ttft, self.gap, self.prefill, self.context = (
            _floats(models, name) for name in ("ttft_ms", "gap_ms", "prefill_ms", "context")
        )
        self.embeds = np.array([model.embeds for model in models])
        self.reasoning = np.array([-1.0 if model.reasoning is None else model.reasoning for model in models])
        self.caching = np.array([model.caching.value for model in models])
        self.provider = np.array([model.provider for model in models])
        self.streaming, self.cached, self.replayed = (
            _floats(sources, name) for name in ("streaming", "cached", "replayed")
        )
        self.traced, self.reports_cost, self.keeps_cache = (
            _floats(sources, name).astype(bool) for name in ("traced", "reports_cost", "keeps_cache")
        )
        self.input = np.array([float(source.tokens[0]) for source in sources])
        self.output = np.array([float(max(1, source.tokens[1])) for source in sources])

    def _targets(self, weights: Iterable[Mapping[str, float]]) -> Choice:
        """Model of each ask: virtual models by their weights, a model is itself."""
        direct = [{name: 1.0} for name in self.model_names]
        return Choice([[row.get(name, 0.0) for name in self.model_names] for row in (*weights, *direct)])

    def _fallbacks(self, company: Company) -> Ints:
        """Per virtual model and failed model: the heaviest other target of another provider."""
        models = company.models
        table = np.zeros((self.aliases, len(models)), dtype=np.int64)
        for row, alias in enumerate(company.virtual_models):
            ranked = sorted(alias.after, key=lambda name: -alias.after[name])
            places = [self.model_names.index(name) for name in ranked]
            for column, model in enumerate(models):
                table[row, column] = next(i for i in places if models[i].provider != model.provider)
        return table


@cache
def tables_of(company: Company) -> Tables:
    """The tables of that company."""
    return Tables(company)


def _tenants(company: Company, source: Source) -> list[float]:
    weights = [1.0 / (1 + source.tenants.index(name)) if name in source.tenants else 0.0 for name in company.tenants]
    return [*weights, 0.0 if source.tenants else 1.0]


def _people(company: Company, source: Source) -> list[float]:
    team = company.teams.index(source.team) if source.team else None
    members = [i for i in range(len(company.users)) if company.team_of_user(i) == team]
    weights = [0.0] * len(company.users)
    for member, weight in zip(members, _ranks(len(members)), strict=True):
        weights[member] = weight
    scale = source.people / sum(weights)
    return [*(weight * scale for weight in weights), 1.0 - source.people]


def _ranks(count: int) -> list[float]:
    """Zipf's weights."""
    return [rank**-ZIPF for rank in range(1, count + 1)]


def _floats(things: Sequence[object], name: str) -> Floats:
    return np.array([getattr(thing, name) for thing in things], dtype=np.float64)


RATES: Final = np.array([outcome.rate for outcome in OUTCOMES])
FAILURE_MILLIS: Final = np.array([max(1.0, outcome.millis[0]) for outcome in OUTCOMES])
FAILURE_SPREAD: Final = np.array([outcome.millis[1] for outcome in OUTCOMES])
