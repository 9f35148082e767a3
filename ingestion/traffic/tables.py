"""The profile as arrays, indexed by the positions of sources, models and virtual models. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ingestion.traffic.calendar import Floats, Ints
from ingestion.traffic.profile import SOURCES, TEAMS, TENANTS, USERS, ZIPF, Source, team_of_user
from ingestion.traffic.targets import MODELS, OUTCOMES, VIRTUAL_MODELS

MODEL_NAMES: Final = tuple(model.name for model in MODELS)
ASKS: Final = (*(alias.name for alias in VIRTUAL_MODELS), *MODEL_NAMES)
"""What a call may name: virtual models first, then models."""
ALIASES: Final = len(VIRTUAL_MODELS)
NO_TENANT: Final = len(TENANTS)


class Choice:
    """A weighted choice of a column per row of a table."""

    def __init__(self, weights: Sequence[Sequence[float]]) -> None:
        table = np.array(weights, dtype=np.float64)
        running = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        self._width = table.shape[1]
        self._borders = (running + np.arange(len(table))[:, None]).ravel()

    def pick(self, rows: Ints, rng: np.random.Generator) -> Ints:
        """One column for each of `rows`, by the weights of its table row."""
        found = np.searchsorted(self._borders, rows + rng.random(len(rows)), side="right")
        # row + 0.99… may round up to the next row.
        columns: Ints = np.minimum(found - rows * self._width, self._width - 1)
        return columns


def _asked(source: Source) -> list[float]:
    return [source.asks.get(name, 0.0) for name in ASKS]


def _tenants(source: Source) -> list[float]:
    weights = [1.0 / (1 + source.tenants.index(name)) if name in source.tenants else 0.0 for name in TENANTS]
    return [*weights, 0.0 if source.tenants else 1.0]


def _people(source: Source) -> list[float]:
    team = TEAMS.index(source.team) if source.team else None
    members = [i for i in range(len(USERS)) if team_of_user(i) == team]
    weights = [0.0] * len(USERS)
    for rank, member in enumerate(members, start=1):
        weights[member] = rank**-ZIPF
    scale = source.people / sum(weights)
    return [*(weight * scale for weight in weights), 1.0 - source.people]


def _targets(weights: Sequence[Mapping[str, float]]) -> Choice:
    """Model of each ask: virtual models by their weights, a model is itself."""
    direct = [{name: 1.0} for name in MODEL_NAMES]
    return Choice([[row.get(name, 0.0) for name in MODEL_NAMES] for row in (*weights, *direct)])


def _fallbacks() -> Ints:
    """Per virtual model and failed model: the heaviest other target of another provider."""
    table = np.zeros((ALIASES, len(MODELS)), dtype=np.int64)
    for row, alias in enumerate(VIRTUAL_MODELS):
        ranked = sorted(alias.after, key=lambda name: -alias.after[name])
        for column, model in enumerate(MODELS):
            others = (i for i in map(MODEL_NAMES.index, ranked) if MODELS[i].provider != model.provider)
            table[row, column] = next(others)
    return table


ASKED: Final = Choice([_asked(source) for source in SOURCES])
ENVIRONMENT: Final = Choice([source.environments for source in SOURCES])
TENANT: Final = Choice([_tenants(source) for source in SOURCES])
USER: Final = Choice([_people(source) for source in SOURCES])
TARGET_BEFORE: Final = _targets([alias.before for alias in VIRTUAL_MODELS])
TARGET_AFTER: Final = _targets([alias.after for alias in VIRTUAL_MODELS])
FALLBACK: Final = _fallbacks()


def _of_models(name: str) -> Floats:
    return np.array([getattr(model, name) for model in MODELS], dtype=np.float64)


TTFT, GAP, PREFILL, CONTEXT = (_of_models(name) for name in ("ttft_ms", "gap_ms", "prefill_ms", "context"))
EMBEDS: Final = np.array([model.embeds for model in MODELS])
REASONING: Final = np.array([-1.0 if model.reasoning is None else model.reasoning for model in MODELS])
CACHING: Final = np.array([model.caching.value for model in MODELS])
PROVIDER: Final = np.array([model.provider for model in MODELS])


def _of_sources(name: str) -> Floats:
    return np.array([getattr(source, name) for source in SOURCES], dtype=np.float64)


STREAMING, CACHED, REPLAYED = (_of_sources(name) for name in ("streaming", "cached", "replayed"))
TRACED, REPORTS_COST, KEEPS_CACHE = (
    _of_sources(name).astype(bool) for name in ("traced", "reports_cost", "keeps_cache")
)
INPUT: Final = np.array([float(source.tokens[0]) for source in SOURCES])
OUTPUT: Final = np.array([float(max(1, source.tokens[1])) for source in SOURCES])
RATES: Final = np.array([outcome.rate for outcome in OUTCOMES])
FAILURE_MILLIS: Final = np.array([max(1.0, outcome.millis[0]) for outcome in OUTCOMES])
FAILURE_SPREAD: Final = np.array([outcome.millis[1] for outcome in OUTCOMES])
