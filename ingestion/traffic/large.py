"""A company as large as a gateway's biggest users: for benchmarks. All of it follows from positions. Pure."""

from collections.abc import Sequence
from typing import Final

from ingestion.traffic import profile, targets
from ingestion.traffic.companies import Company, Label, Prices
from ingestion.traffic.profile import CONSUMER, NIGHTLY, OFFICE, SERVICE, Rhythm, Source
from ingestion.traffic.targets import Caching, Model, VirtualModel

_TEAMS, _USERS, _CONTRACTORS, _ACCOUNTS, _APPS, _TENANTS = 50, 2_000, 40, 300, 50, 200
_ROUND_THE_CLOCK: Final = (17, 41)
"""Positions of the teams whose people work in shifts; the others keep office hours."""

_FAMILIES: Final = (
    ("openai", 128_000, "gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4o gpt-4o-mini gpt-5-nano o3 o4-mini"),
    (
        "anthropic",
        195_000,
        "claude-opus-4-1 claude-opus-4 claude-sonnet-4 claude-3-7-sonnet claude-3-5-haiku claude-3-haiku",
    ),
    ("google", 900_000, "gemini-2.5-flash-lite gemini-2.0-flash gemini-2.0-flash-lite gemini-1.5-pro"),
    ("mistral", 125_000, "mistral-large mistral-medium mistral-small codestral ministral-8b ministral-3b"),
    ("deepseek", 64_000, "deepseek-chat deepseek-reasoner"),
    ("x-ai", 128_000, "grok-4 grok-3 grok-3-mini grok-code-fast"),
    ("aws", 128_000, "llama-3.3-70b llama-3.1-8b llama-4-scout llama-4-maverick nova-pro nova-lite"),
    ("cohere", 125_000, "command-a command-r command-r-plus"),
    ("vllm", 120_000, "qwen3-32b gemma-3-27b"),
)
"""Provider, context and models."""
_CACHING: Final = {
    "openai": Caching.AUTOMATIC,
    "anthropic": Caching.EXPLICIT,
    "google": Caching.AUTOMATIC,
    "deepseek": Caching.AUTOMATIC,
    "x-ai": Caching.AUTOMATIC,
}
_EMBEDDERS: Final = (Model("text-embedding-3-large", "openai", 80, 0, 15, Caching.NONE, 8_191, embeds=True),)


def _models() -> tuple[Model, ...]:
    """The small company's models and 42 more; the later of a family are the smaller and quicker ones."""
    more = [
        Model(
            name,
            provider,
            ttft_ms=300 + 900 / (1 + place),
            gap_ms=4 + 14 / (1 + place),
            prefill_ms=8 + 40 / (1 + place),
            caching=_CACHING.get(provider, Caching.NONE),
            context=context,
        )
        for provider, context, names in _FAMILIES
        for place, name in enumerate(names.split())
    ]
    return (*targets.MODELS, *more, *_EMBEDDERS)


MODELS: Final = _models()
_CHATTY: Final = tuple(model for model in MODELS if not model.embeds)
_OWN: Final = "vllm"
"""Nobody has entered prices for the company's own machines."""


def _prices() -> Prices:
    known = dict(targets.PRICES)
    for position, model in enumerate(MODELS):
        if model.provider == _OWN or model.name in known:
            continue
        cents = 10 + position * 37 % 290
        sheet = {"input": f"{cents / 100}"}
        if not model.embeds:
            sheet["output"] = f"{cents * 4 / 100}"
        if model.caching is not Caching.NONE:
            sheet["cache_read"] = f"{cents / 1000}"
        if model.caching is Caching.EXPLICIT:
            sheet |= {"cache_write": f"{cents * 125 / 10_000}", "cache_write_1h": f"{cents * 2 / 100}"}
        known[model.name] = sheet
    return known


def _virtual_models() -> tuple[VirtualModel, ...]:
    """The small company's and 17 more over three models each, of which one has another provider; every fifth moves."""
    more = []
    for number in range(20 - len(targets.VIRTUAL_MODELS)):
        first, second, third = (_CHATTY[(number * 5 + step) % len(_CHATTY)] for step in (0, 11, 23))
        before = {first.name: 60.0, second.name: 30.0, third.name: 10.0}
        after = {first.name: 25.0, second.name: 55.0, third.name: 20.0} if number % 5 == 0 else before
        more.append(VirtualModel(f"route-{number + 1:02}", before, after))
    return (*targets.VIRTUAL_MODELS, *more)


VIRTUAL_MODELS: Final = _virtual_models()
TEAMS: Final = (*profile.TEAMS, *(f"Team {number:02}" for number in range(len(profile.TEAMS) + 1, _TEAMS + 1)))
USERS: Final = (*profile.USERS, *(f"user-{number:04}" for number in range(len(profile.USERS) + 1, _USERS + 1)))
TENANTS: Final = (
    *profile.TENANTS,
    *(f"tenant-{number:03}" for number in range(len(profile.TENANTS) + 1, _TENANTS + 1)),
)
_RHYTHMS: Final[Sequence[Rhythm]] = (OFFICE, CONSUMER, SERVICE, OFFICE, NIGHTLY, CONSUMER, OFFICE)
_MIXES: Final = ((0.97, 0.02, 0.01), (0.82, 0.12, 0.06), (0.15, 0.25, 0.6))


def _application(position: int) -> Source:
    """The application of a virtual account: its shape repeats in periods that have no common divisor."""
    rhythm = _RHYTHMS[position % len(_RHYTHMS)]
    embeds = position % 11 == 3
    input_tokens = 300 + position * 769 % 4_700
    return Source(
        team=TEAMS[position % _TEAMS],
        account=f"app-{position + 1:03}",
        # Ranks in an order of their own, so that no team has all the heavy accounts.
        share=100 / (1 + position * 107 % _ACCOUNTS) ** 0.75,
        rhythm=rhythm,
        asks=_embeds(position) if embeds else _asks(position),
        tokens=(input_tokens, 0 if embeds else 60 + position * 331 % 900),
        streaming=0.0 if embeds else (0.95, 0.6, 0.0)[position % 3],
        cached=(0.3, 0.6, 0.1, 0.75)[position % 4],
        people=0.8 if rhythm is OFFICE else 0.0,
        environments=_MIXES[0 if position % 5 else 1],
        tenants=(TENANTS[position % _TENANTS],),
        app=f"product-{position % _APPS + 1:02}",
        traced=position % 4 == 0,
        names_team=position % 13 == 0,
        reports_cost=position % 9 == 0,
        tier="batch" if rhythm is NIGHTLY and position % 2 else None,
        keeps_cache=position % 6 == 0,
    )


def _asks(position: int) -> dict[str, float]:
    alias = VIRTUAL_MODELS[position % len(VIRTUAL_MODELS)].name
    other = VIRTUAL_MODELS[position * 7 % len(VIRTUAL_MODELS)].name
    return {other: 0.15} | {alias: 0.65} | {_CHATTY[position * 13 % len(_CHATTY)].name: 0.2}


def _embeds(position: int) -> dict[str, float]:
    names = [model.name for model in MODELS if model.embeds]
    return {names[position // 11 % len(names)]: 1.0}


def _people(position: int) -> Source:
    """Calls of a team's people in their own name."""
    wanted = {alias.name: 1.0 for alias in (VIRTUAL_MODELS[(position + step) % 20] for step in (0, 1, 7))}
    direct = {_CHATTY[(position * 3 + step) % len(_CHATTY)].name: 0.4 for step in (0, 5, 17, 29)}
    return Source(
        team=TEAMS[position],
        account=None,
        share=30 / (1 + position * 17 % _TEAMS) ** 0.6,
        rhythm=SERVICE if position in _ROUND_THE_CLOCK else OFFICE,
        asks=wanted | direct,
        tokens=(1_000 + position * 613 % 8_000, 300 + position * 97 % 500),
        streaming=0.97,
        cached=(0.3, 0.8)[position % 2],
        people=1.0,
        environments=_MIXES[1 + position % 2],
    )


_STRANGERS: Final = Source(
    None, None, 4, OFFICE, {"assistant-smart": 1.0, "assistant-fast": 1.0}, (1_400, 480), 0.9, 0.2, 0.8, _MIXES[2]
)
"""Contractors and whoever the gateway cannot name."""
LARGE: Final = Company(
    name="large",
    teams=TEAMS,
    users=USERS,
    contractors=_CONTRACTORS,
    tenants=TENANTS,
    environments=profile.ENVIRONMENTS,
    sources=(*map(_application, range(_ACCOUNTS)), *map(_people, range(_TEAMS)), _STRANGERS),
    models=MODELS,
    virtual_models=VIRTUAL_MODELS,
    prices=_prices(),
    long_prompt_prices=targets.LONG_PROMPT_PRICES,
    batch_prices=targets.BATCH_PRICES,
    changed_prices=targets.CHANGED_PRICES,
    labels=(
        Label("region", ("eu-west", "us-east", "us-west", "ap-south", "sa-east")),
        Label("feature", tuple(f"feature-{number:02}" for number in range(1, 31))),
    ),
)
