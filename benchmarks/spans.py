"""Calls as an instrumented application exports them: OTLP protobuf bodies of GenAI spans."""

import random
import time
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_MODELS: Final = ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "claude-sonnet-4-20250514", "gemini-2.5-pro")
_SECOND: Final = 10**9


def bodies_of_spans(count: int, size: int, seed: int) -> list[bytes]:
    """At least `count` spans of the last hour in bodies of `size`."""
    rng = random.Random(seed)  # noqa: S311 - invented traffic
    now = time.time_ns()
    return [_body(size, rng, now) for _ in range(-(-count // size))]


def _body(size: int, rng: random.Random, now: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _attribute(group.resource.attributes, "service.name", f"service-{rng.randrange(20)}")
    scoped = group.scope_spans.add()
    scoped.scope.name = "opentelemetry.instrumentation.openai_v2"
    for _ in range(size):
        _span(scoped.spans.add(), rng, now)
    body: bytes = request.SerializeToString()
    return body


def _span(span: Any, rng: random.Random, now: int) -> None:  # noqa: ANN401 - generated classes are untyped
    model = rng.choice(_MODELS)
    took = rng.randrange(_SECOND // 4, 20 * _SECOND)
    span.trace_id, span.span_id = rng.randbytes(16), rng.randbytes(8)
    span.name, span.kind = f"chat {model}", 3
    span.end_time_unix_nano = now - rng.randrange(3600 * _SECOND)
    span.start_time_unix_nano = span.end_time_unix_nano - took
    values: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model.rpartition("-")[0],
        "gen_ai.response.model": model,
        "gen_ai.response.id": f"chatcmpl-{rng.randrange(2**48):x}",
        "server.address": "api.openai.com",
        "user.id": f"user-{rng.randrange(500)}",
        "gen_ai.usage.input_tokens": rng.randrange(1, 20_000),
        "gen_ai.usage.output_tokens": rng.randrange(1, 2_000),
        "gen_ai.usage.cache_read.input_tokens": 0,
    }
    for name, value in values.items():
        _attribute(span.attributes, name, value)


def _attribute(attributes: Any, name: str, value: str | int) -> None:  # noqa: ANN401
    pair = attributes.add()
    pair.key = name
    if isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value
