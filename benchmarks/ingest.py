"""Records over HTTP: how many are committed a second, beside PostgreSQL's own COPY of the same rows."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.clock import say
from benchmarks.copies import Copies
from benchmarks.load import manage
from benchmarks.spans import bodies_of_spans
from benchmarks.tenants import Tenant
from benchmarks.web import Portal
from ingestion.models import LLMRequest
from metricsportal import children

ROUNDS: Final = 5
BATCH: Final = 1_000
SPANS: Final = 512
"""Spans of a body: what the exporters of OpenTelemetry send at once."""
_CONNECTIONS: Final = 4
_JSON: Final = "application/json"
_PROTOBUF: Final = "application/x-protobuf"


@dataclass(slots=True)
class Ingested:
    """Records a second of every round, in turns; peak resident bytes of the largest worker after each round."""

    records: int
    native: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    repeated: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)


def measure(portal: Portal, tenant: Tenant, folder: Path) -> Ingested:
    """The records of a tenant in rounds, each beside COPY of the same rows, then a repeat of each, then spans."""
    measured = Ingested(tenant.requests)
    size = tenant.requests // ROUNDS
    with Copies() as copies:
        for turn in range(ROUNDS):
            say(f"sending records, round {turn + 1} of {ROUNDS}")
            bodies = _bodies(folder, tenant, size, seed=100 + turn)
            before = copies.last_stored()
            measured.native.append(size / _send(portal, tenant, "/api/v1/requests", _JSON, bodies, wanted="accepted"))
            measured.peaks.append(portal.peak())
            measured.copied.append(size / copies.copy(before, BATCH))
            measured.repeated.append(
                size / _send(portal, tenant, "/api/v1/requests", _JSON, bodies, wanted="duplicate")
            )
    for turn in range(ROUNDS):
        spans = bodies_of_spans(max(size // 4, SPANS), SPANS, seed=turn)
        before = LLMRequest.objects.count()
        seconds = _send(portal, tenant, "/v1/traces", _PROTOBUF, spans, wanted=None)
        if (stored := LLMRequest.objects.count() - before) != len(spans) * SPANS:
            raise RuntimeError(f"{len(spans) * SPANS} spans were sent, {stored} are stored")
        measured.spans.append(len(spans) * SPANS / seconds)
    return measured


def _bodies(folder: Path, tenant: Tenant, count: int, seed: int) -> list[bytes]:
    file = folder / "records.ndjson"
    words = (f"--requests={count}", f"--seed={seed}", f"--company={tenant.calendar.company.name}")
    manage("generate_traffic", *words, f"--organization={tenant.slug}", f"--output={file}")
    lines = file.read_bytes().splitlines()
    file.unlink()
    return [b"[" + b",".join(part) + b"]" for part in _parts(lines)]


def _parts(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (lines[start : start + BATCH] for start in range(0, len(lines), BATCH))


def _send(
    portal: Portal, tenant: Tenant, path: str, content_type: str, bodies: Sequence[bytes], *, wanted: str | None
) -> float:
    """Seconds to send all bodies on a few connections, each waiting for its answer. Raises RuntimeError."""
    waiting, problems = iter(bodies), list[str]()
    lock = threading.Lock()

    def post() -> None:
        connection = http.client.HTTPConnection(children.HOST, portal.port, timeout=600)
        headers = {**tenant.sender, "Content-Type": content_type}
        while True:
            with lock:
                body = next(waiting, None)
            if body is None or problems:
                return connection.close()
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200 or (wanted and json.loads(answer)[wanted] != BATCH):
                problems.append(f"{path} answered {response.status}: {answer[:500]!r}")

    threads = [threading.Thread(target=post) for _ in range(_CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if problems:
        raise RuntimeError(problems[0])
    return seconds
