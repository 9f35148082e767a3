"""Who calls what how often: the invented company as data. Figures are medians and relative shares."""

from dataclasses import dataclass
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TEAMS: Final = ("Search", "Support", "Data Science", "Mobile", "Growth", "Platform")

_FIRST: Final = _words(
    """
    ada alan amara ana andre aisha ben carla chen daniel dina elena emre farah felix grace hana ibrahim
    ines ivan jonas kavya lars lena luca maya mei nadia omar priya
    """
)
_LAST: Final = _words(
    """
    almeida bauer castro dubois eriksen fischer garcia hansen ito jansen kaya lindqvist moreau nakamura
    okafor petrov quintero rossi sato tanaka ullah varga weber xu yilmaz zhang amari brandt costa diaz
    """
)
USERS: Final = tuple(f"{_FIRST[i % 30]}.{_LAST[(7 * i + 3 * (i // 30)) % 30]}" for i in range(60))
ZIPF: Final = 1.05

TENANTS: Final = _words(
    """
    acme aurora bluebird borealis cascade cobalt delta ember fjord granite harbor indigo juniper kestrel
    lumen meridian northwind onyx pioneer quartz redwood summit tidewater umbra vertex
    """
)
ENVIRONMENTS: Final = ("prod", "staging", "dev")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Relative weight of the 24 local hours, and of the days from Monday to Sunday."""

    hours: tuple[float, ...]
    days: tuple[float, ...]


_WORK: Final = (1, 1, 1, 1, 2, 4, 12, 35, 70, 95, 100, 92, 66, 84, 98, 96, 84, 62, 36, 22, 14, 9, 5, 2)
_EVENING: Final = (22, 12, 7, 5, 5, 9, 20, 38, 48, 52, 55, 60, 66, 62, 58, 58, 62, 70, 82, 95, 100, 92, 70, 42)
_STEADY: Final = (62, 60, 58, 58, 60, 64, 72, 82, 92, 98, 100, 98, 94, 97, 99, 98, 95, 90, 84, 80, 76, 72, 68, 64)
_NIGHT: Final = (70, 96, 100, 98, 90, 55, 18, 6, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6, 8, 10, 14, 22, 45)
OFFICE: Final = Rhythm(_WORK, (0.96, 1.05, 1.06, 1.03, 0.9, 0.12, 0.09))
CONSUMER: Final = Rhythm(_EVENING, (0.94, 0.94, 0.96, 0.98, 1.04, 1.14, 1.1))
SERVICE: Final = Rhythm(_STEADY, (1.02, 1.04, 1.04, 1.03, 1.0, 0.72, 0.68))
NIGHTLY: Final = Rhythm(_NIGHT, (1, 1, 1, 1, 1, 0.8, 0.8))

_PROD: Final = (0.97, 0.02, 0.01)
_MIXED: Final = (0.82, 0.12, 0.06)
_DEV: Final = (0.15, 0.25, 0.6)


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of calls: an application with its virtual account, or people of a team without one.

    `share` of all calls; `asks` weights of the virtual models and models named in calls; `tokens` medians of input and
    output; `streaming`, `cached`, `people` (names a user), `replayed` (answered by the gateway's cache): shares.
    """

    team: str | None
    account: str | None
    share: float
    rhythm: Rhythm
    asks: dict[str, float]
    tokens: tuple[int, int]
    streaming: float = 0.0
    cached: float = 0.3
    people: float = 0.0
    environments: tuple[float, float, float] = _PROD
    tenants: tuple[str, ...] = ()
    replayed: float = 0.0
    traced: bool = False
    """Instrumented: its calls carry trace ids and the gateway's own token gaps."""
    names_team: bool = False
    """The gateway sends the team with each call; otherwise the portal attributes it."""
    reports_cost: bool = False
    tier: str | None = None
    keeps_cache: bool = False
    """Writes prompts to the provider's one-hour cache."""
    app: str | None = None
    """Metadata that all its calls carry."""


_SMART: Final = {"assistant-smart": 1.0}
_QUICK: Final = {"assistant-fast": 1.0}
_CODING: Final = {"code-assist": 1.0}
_EMBED: Final = {"text-embedding-3-small": 1.0}
_BOTH: Final = {"assistant-smart": 0.35, "assistant-fast": 0.65}
_CHAT: Final = {"assistant-smart": 0.5, "gpt-5": 0.2, "gemini-2.5-pro": 0.15, "claude-sonnet-4-5": 0.15}

APPLICATIONS: Final = (
    Source(
        "Search", "search-answers", 13, CONSUMER, _QUICK, (2_900, 260), 0.9, 0.55, 0, _PROD, TENANTS[:6], 0.07, True
    ),
    Source("Search", "search-embedder", 8, SERVICE, _EMBED, (420, 0), tenants=TENANTS[:6]),
    Source(
        "Search", "query-rewriter", 5, CONSUMER, {"gemini-2.5-flash": 1.0}, (380, 40), 0, 0.1, 0, _PROD, TENANTS[:4]
    ),
    Source("Search", "index-refresh", 3, NIGHTLY, _EMBED, (760, 0), tenants=TENANTS[:2]),
    Source(
        "Support",
        "support-copilot",
        12,
        OFFICE,
        _BOTH,
        (4_800, 340),
        0.95,
        0.7,
        0.75,
        _PROD,
        TENANTS[4:12],
        0.03,
        True,
        keeps_cache=True,
    ),
    Source("Support", "ticket-triage", 5, SERVICE, {"gpt-5-mini": 1.0}, (1_250, 70), 0.3, 0.5, 0, _PROD, TENANTS[4:12]),
    Source("Support", "faq-bot", 5, CONSUMER, _QUICK, (1_600, 190), 0.9, 0.6, 0, _PROD, TENANTS[6:10], 0.16),
    Source("Data Science", "notebook-gateway", 3, OFFICE, _CHAT, (1_900, 620), 0.8, 0.2, 0.95, _DEV, names_team=True),
    Source(
        "Data Science",
        "catalog-enrichment",
        6,
        NIGHTLY,
        {"gpt-5-mini": 0.7, "gemini-2.5-flash": 0.3},
        (1_500, 420),
        tenants=TENANTS[10:16],
        tier="batch",
        reports_cost=True,
    ),
    Source(
        "Data Science",
        "eval-runner",
        2,
        NIGHTLY,
        {"gpt-5": 0.5, "claude-sonnet-4-5": 0.5},
        (2_200, 700),
        0,
        0.4,
        environments=_DEV,
        traced=True,
        names_team=True,
    ),
    Source("Mobile", "mobile-assistant", 11, CONSUMER, _BOTH, (1_100, 240), 0.95, 0.45, 0, _PROD, TENANTS[12:18], 0.04),
    Source("Mobile", "push-copywriter", 2, OFFICE, _QUICK, (520, 110), 0, 0.2, 0, _MIXED, TENANTS[12:15]),
    Source("Mobile", "voice-summaries", 2, CONSUMER, {"gemini-2.5-flash": 1.0}, (3_600, 220), 0.9, 0.2, 0, _PROD),
    Source("Growth", "campaign-writer", 2.5, OFFICE, _SMART, (1_400, 780), 0.95, 0.3, 0.6, _MIXED, TENANTS[16:20]),
    Source(
        "Growth", "lead-scorer", 3, NIGHTLY, {"claude-haiku-4-5": 1.0}, (1_050, 60), 0, 0.65, 0, _PROD, TENANTS[16:22]
    ),
    Source("Growth", "website-chat", 4, CONSUMER, _QUICK, (1_700, 180), 0.95, 0.5, 0, _PROD, TENANTS[18:25], 0.05),
    Source(
        "Platform",
        "code-review",
        4,
        OFFICE,
        _CODING,
        (9_500, 850),
        0.6,
        0.75,
        0.9,
        _MIXED,
        keeps_cache=True,
        traced=True,
    ),
    Source(
        "Platform",
        "contract-review",
        0.6,
        OFFICE,
        {"gemini-2.5-pro": 1.0},
        (62_000, 1_400),
        0.3,
        0.3,
        0.4,
        _PROD,
        TENANTS[20:25],
    ),
    Source("Platform", "log-explainer", 2.5, SERVICE, _QUICK, (2_400, 230), 0.7, 0.3, 0, _MIXED, traced=True),
    Source("Platform", "docs-indexer", 2, NIGHTLY, _EMBED, (640, 0), environments=_MIXED, reports_cost=True),
)
"""Applications with their virtual account, in no particular order."""
PEOPLE: Final = (
    Source("Search", None, 1.2, OFFICE, _CHAT, (1_600, 520), 0.97, 0.3, 1, _DEV),
    Source("Support", None, 1.0, OFFICE, _CHAT, (1_200, 420), 0.97, 0.3, 1, _MIXED),
    Source("Data Science", None, 1.8, OFFICE, _CHAT, (2_400, 680), 0.97, 0.3, 1, _DEV),
    Source("Mobile", None, 1.6, OFFICE, _CODING, (7_800, 560), 0.99, 0.8, 1, _DEV),
    Source("Growth", None, 0.8, OFFICE, _CHAT, (1_300, 560), 0.97, 0.3, 1, _MIXED),
    Source("Platform", None, 2.6, OFFICE, _CODING, (9_000, 620), 0.99, 0.8, 1, _DEV),
    Source(None, None, 0.4, OFFICE, _CHAT, (1_400, 480), 0.9, 0.2, 0.8, _DEV),
)
"""Calls of people in their own name; the last are contractors and whoever the gateway cannot name."""
