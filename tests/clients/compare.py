"""What the portal stored beside what the upstream says that it served."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.clients.catalog import Client
from tests.clients.upstream import FIRST_SECONDS, SERVED, Served

Row = Mapping[str, Any]
FILLED: Final = {
    "model": "model__name",
    "provider": "model__provider",
    "virtual model": "virtual_model__name",
    "user": "user__name",
    "account": "virtual_account__name",
    "team": "team__name",
    "streaming": "streaming",
    "status": "status_code",
    "error": "error_type__name",
    "input": "input_tokens",
    "output": "output_tokens",
    "cache read": "cache_read_tokens",
    "reasoning": "reasoning_tokens",
    "latency": "latency_us",
    "TTFT": "ttft_us",
    "cost": "reported_cost",
    "tier": "service_tier",
    "trace": "trace_id",
}


def asked_of(model: str | None) -> str:
    """What the caller asked for, of a name that may be the served one."""
    return (model or "").removesuffix(SERVED)


def deviations(client: Client, books: Sequence[Served], rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Sentences about what is wrong, and about what is the client's own doing."""
    ours: list[str] = []
    theirs: list[str] = []
    by_model: dict[str, list[Row]] = {}
    for row in rows:
        by_model.setdefault(asked_of(row["model__name"] or row["virtual_model__name"]), []).append(row)
    served = Counter(asked_of(one.model) for one in books)
    for model in sorted(served.keys() | by_model.keys()):
        expected = 0 if _matches(model, client.unseen) else 1 if _matches(model, client.retried) else served[model]
        if len(by_model.get(model, ())) != expected:
            ours.append(f"{model}: {len(by_model.get(model, ()))} rows for {served[model]} requests")
    for one in books:
        model = asked_of(one.model)
        for row in by_model.get(model, ()):
            for name, true, stored in _differences(one, row):
                known = _matches(model, client.known.get(name, ""))
                (theirs if known else ours).append(f"{model}: {name} is {stored!r}, upstream: {true!r}")
    return ours, theirs


def _matches(model: str, patterns: str) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns.split())


def _differences(one: Served, row: Row) -> Iterator[tuple[str, object, object]]:
    """Name of the field, the truth, and what is stored."""
    operation = "embeddings" if one.path.endswith("/embeddings") else "chat"
    true = {
        "model": one.model,
        "provider": "openai",
        "operation": operation,
        "streaming": one.stream,
        "status": one.status,
        "error": one.status >= 400,
        "input": one.input_tokens,
        "output": one.output_tokens or None,
        "cache read": one.cache_read_tokens or None,
        "reasoning": one.reasoning_tokens or None,
        "TTFT": one.stream and one.status == 200,
        "latency": True,
        "anomaly": False,
    }
    stored = {
        "model": row["model__name"],
        "provider": row["model__provider"],
        "operation": row["operation"],
        "streaming": row["streaming"],
        "status": row["status_code"],
        "error": row["error_type__name"] is not None,
        "input": row["input_tokens"],
        "output": row["output_tokens"] or None,
        "cache read": row["cache_read_tokens"] or None,
        "reasoning": row["reasoning_tokens"] or None,
        "TTFT": row["ttft_us"] is not None,
        "latency": (row["latency_us"] or 0) > 0,
        "anomaly": row["token_anomaly"],
    }
    yield from ((name, value, stored[name]) for name, value in true.items() if value != stored[name])
    first = row["ttft_us"]
    if first is not None and not FIRST_SECONDS * 1e6 * 0.9 <= first < row["latency_us"]:
        yield "TTFT", f"{FIRST_SECONDS} s until the first chunk", f"{first} us"


def filled(rows: Sequence[Row]) -> dict[str, str]:
    """Of every field, how many of the rows have it."""
    return {label: str(sum(row[name] not in (None, "") for row in rows)) for label, name in FILLED.items()}


def table(columns: Mapping[str, Mapping[str, str]]) -> str:
    """One line per field, one column per client."""
    width = max(map(len, FILLED))
    lines = [" " * width + "".join(f"  {name:>14}" for name in columns)]
    for label in ("rows", *FILLED):
        lines.append(f"{label:<{width}}" + "".join(f"  {one[label]:>14}" for one in columns.values()))
    return "\n".join(lines)
