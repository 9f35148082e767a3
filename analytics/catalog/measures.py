"""Every measure: one entry with its meaning and its columns. Ratios are computed last, from sums."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingestion.records import FailureClass


class Kind(StrEnum):
    """What a measure is; decides its aggregations and its form in answers."""

    COUNT = "count"
    ADDITIVE = "additive"
    MONEY = "money"
    DURATION = "duration"
    RATIO = "ratio"


class Unit(StrEnum):
    """Unit of a value; decides its format everywhere."""

    COUNT = "count"
    TOKENS = "tokens"
    USD = "usd"
    MS = "ms"
    SHARE = "share"
    PER_SECOND = "1/s"


class Population(StrEnum):
    """Whose requests are the samples of latency and TTFT."""

    SUCCESSFUL = "successful"
    ALL = "all"
    FAILED = "failed"


Columns = tuple[str, ...]
PERCENTILES: Final = (50, 75, 90, 95, 99)
_AGGREGATIONS: Final = {
    Kind.COUNT: ("count",),
    Kind.ADDITIVE: ("sum", "avg"),
    Kind.MONEY: ("sum", "avg"),
    Kind.DURATION: (*(f"p{percentile}" for percentile in PERCENTILES), "avg", "min", "max"),
    Kind.RATIO: ("rate",),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `over` / `under` name additive columns (`seconds` = length of the bucket inside the range).

    `histograms` gives, per population, the histograms whose samples add up to it. `known` names columns of which one is
    above 0 when an amount is known at all: while something is billable and all of them are 0 there is no value.
    """

    name: str
    api_name: str
    label: str
    unit: Unit
    kind: Kind
    definition: str
    over: tuple[str, ...] = ()
    under: tuple[str, ...] = ("requests",)
    histograms: tuple[tuple[Population, tuple[str, ...]], ...] = ()
    only_failed: bool = False
    scale: int = 1
    known: tuple[str, ...] = ()

    @property
    def aggregations(self) -> tuple[str, ...]:
        """The aggregations that make sense."""
        return _AGGREGATIONS[self.kind]

    def samples(self, population: Population) -> tuple[str, ...]:
        """Names of the histograms to merge for a population."""
        return dict(self.histograms).get(population) or dict(self.histograms)[Population.SUCCESSFUL]


def _switchable(name: str) -> tuple[tuple[Population, tuple[str, ...]], ...]:
    good, bad = f"{name}_ok", f"{name}_failed"
    return ((Population.SUCCESSFUL, (good,)), (Population.ALL, (good, bad)), (Population.FAILED, (bad,)))


def _tokens(name: str, api_name: str, label: str, definition: str) -> Measure:
    return Measure(name, api_name, label, Unit.TOKENS, Kind.ADDITIVE, definition, over=(name,))


def _count(name: str, api_name: str, label: str, definition: str, *over: str, only_failed: bool = False) -> Measure:
    return Measure(
        name, api_name, label, Unit.COUNT, Kind.COUNT, definition, over=over or (name,), only_failed=only_failed
    )


def _failed_with(one: str) -> Measure:
    meaning = f"Failed requests of the class {one}."
    return _count(f"failed_{one}", f"failures{one.capitalize()}", f"Failed: {one}", meaning, only_failed=True)


def _money(name: str, api_name: str, label: str, definition: str, *known: str) -> Measure:
    known = known or ("computed", name)
    return Measure(f"{name}_usd", api_name, label, Unit.USD, Kind.MONEY, definition, over=(name,), known=known)


def _share(
    name: str, api_name: str, label: str, definition: str, *, over: Columns, under: Columns = ("requests",)
) -> Measure:
    return Measure(name, api_name, label, Unit.SHARE, Kind.RATIO, definition, over=over, under=under)


_PRICED: Final = ("computed", "reported")
_COMPARED: Final = ("compared_list_cost", "compared_reported_cost")
MEASURES: Final = (
    _count("requests", "requests", "Requests", "Number of requests, failed ones, retries and fallbacks included."),
    _count(
        "failed_requests",
        "failures",
        "Failed requests",
        "Requests with a status code of 400 or above, or with an error type.",
        "failed",
        only_failed=True,
    ),
    *(_failed_with(one) for one in FailureClass),
    _share("failure_rate", "failureRate", "Failure rate", "Failed requests / requests.", over=("failed",)),
    Measure(
        "requests_per_second",
        "requestsPerSecond",
        "Requests per second",
        Unit.PER_SECOND,
        Kind.RATIO,
        "Requests / seconds of the bucket inside the range; the current bucket counts up to now.",
        over=("requests",),
        under=("seconds",),
    ),
    _tokens("input_tokens", "inputTokens", "Input tokens", "Tokens sent to the model, cached and audio ones included."),
    _tokens("output_tokens", "outputTokens", "Output tokens", "Tokens generated, reasoning and audio ones included."),
    _tokens("cache_read_tokens", "cacheReadTokens", "Cache read tokens", "Input tokens read from a provider's cache."),
    _tokens("cache_write_tokens", "cacheWriteTokens", "Cache write tokens", "Input tokens written to that cache."),
    _tokens("reasoning_tokens", "reasoningTokens", "Reasoning tokens", "Output tokens spent on reasoning."),
    _money(
        "cost",
        "costInUSD",
        "Cost",
        "Billed cost; requests without a price add nothing, they count as unpriced.",
        *_PRICED,
    ),
    _money(
        "list_cost", "listCostInUSD", "List cost", "Disjoint token classes x prices of the book at the request's time."
    ),
    _money("contracted_cost", "contractedCostInUSD", "Contracted cost", "Cost after discount, before markup."),
    _money(
        "reported_cost",
        "reportedCostInUSD",
        "Reported cost",
        "The gateway's own figure, kept beside ours.",
        *("reported", "reported_cost"),
    ),
    Measure(
        "cost_per_1000_usd",
        "costPer1000RequestsInUSD",
        "Cost per 1,000 requests",
        Unit.USD,
        Kind.RATIO,
        "1,000 x cost / requests, from sums.",
        over=("cost",),
        scale=1000,
        known=_PRICED,
    ),
    _share(
        "priced_share",
        "pricedShare",
        "Priced share",
        "Requests priced by the book or the gateway / requests with something billable.",
        over=_PRICED,
        under=(*_PRICED, "unpriced"),
    ),
    _count(
        "priced_requests", "pricedRequests", "Priced requests", "Requests priced by the book or the gateway.", *_PRICED
    ),
    _count(
        "unpriced_requests",
        "unpricedRequests",
        "Unpriced requests",
        "Requests with something billable and no price: they add nothing to the cost.",
        "unpriced",
    ),
    _tokens("unpriced_tokens", "unpricedTokens", "Unpriced tokens", "Input and output tokens of unpriced requests."),
    _count(
        "compared_requests",
        "comparedRequests",
        "Compared requests",
        "Requests of which both the price book's and the gateway's figure are known.",
        "compared",
    ),
    _money(
        "compared_list_cost",
        "comparedListCostInUSD",
        "List cost, compared",
        "List cost of the requests that have both figures.",
        *_COMPARED,
    ),
    _money(
        "compared_reported_cost",
        "comparedReportedCostInUSD",
        "Reported cost, compared",
        "The gateway's figure of the requests that have both figures.",
        *_COMPARED,
    ),
    _share(
        "reported_to_list",
        "reportedToList",
        "Reported to list",
        "The gateway's figure / price book cost, of requests that have both.",
        over=("compared_reported_cost",),
        under=("compared_list_cost",),
    ),
    Measure(
        "latency",
        "latencyMs",
        "Request latency",
        Unit.MS,
        Kind.DURATION,
        "Last byte sent - request received, at the gateway. Successful requests unless another population is chosen.",
        histograms=_switchable("latency"),
    ),
    Measure(
        "ttft",
        "timeToFirstTokenMs",
        "Time to first token",
        Unit.MS,
        Kind.DURATION,
        "First non-empty token - request received; streaming requests only.",
        histograms=_switchable("ttft"),
    ),
    Measure(
        "itl",
        "interTokenLatencyMs",
        "Inter-token latency",
        Unit.MS,
        Kind.DURATION,
        "Mean gap between tokens of a streaming success: the gateway's, else (latency - TTFT) / (output tokens - 1).",
        histograms=((Population.SUCCESSFUL, ("itl",)),),
    ),
    Measure(
        "tpot",
        "timePerOutputTokenLatencyMs",
        "Time per output token",
        Unit.MS,
        Kind.DURATION,
        "Streaming: (latency - TTFT) / (output tokens - 1); otherwise latency / output tokens. Successful requests.",
        histograms=((Population.SUCCESSFUL, ("tpot",)),),
    ),
    _count("itl_reported", "interTokenLatencyReported", "ITL, reported", "Samples of ITL that the gateway measured."),
    _count("tpot_streaming", "timePerOutputTokenStreaming", "TPOT, streaming", "Samples of TPOT that are of streams."),
    _count("tpot_whole", "timePerOutputTokenNotStreaming", "TPOT, not streaming", "Samples of TPOT of the others."),
)
BY_NAME: Final = {measure.name: measure for measure in MEASURES}
BY_API_NAME: Final = {measure.api_name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Selection:
    """A measure with one aggregation: a column of an answer."""

    measure: Measure
    aggregation: str

    @property
    def name(self) -> str:
        """Native column name: cost_usd, latency_p90_ms, input_tokens_avg."""
        if self.measure.kind is Kind.DURATION:
            return f"{self.measure.name}_{self.aggregation}_ms"
        if self.aggregation == "avg":
            return f"{self.measure.name}_avg"
        return self.measure.name

    @property
    def api_name(self) -> str:
        """TrueFoundry-shaped key: sumCostInUSD, p90LatencyMs, rateFailureRate."""
        column = self.measure.api_name
        return self.aggregation + column[0].upper() + column[1:]

    @property
    def percentile(self) -> int | None:
        """The percentile asked for, None for other aggregations."""
        return int(self.aggregation[1:]) if self.aggregation[1:].isdigit() else None


def select(name: str, aggregation: str | None = None) -> Selection:
    """The selection of a measure by native name; its first aggregation by default. Raises KeyError."""
    measure = BY_NAME[name]
    return Selection(measure, aggregation or measure.aggregations[0])


_COLUMNS: Final = (  # all that the report offers, in its order
    *(select(m.name) for m in MEASURES if m.kind is not Kind.DURATION),
    *(Selection(m, f"p{p}") for m in MEASURES if m.kind is Kind.DURATION for p in PERCENTILES),
)
NATIVE: Final = {selection.name: selection for selection in _COLUMNS}
