"""A small OpenAI-compatible server on loopback that keeps its own books of what it served.

The name of the model chooses the answer: `status-429-...` fails with that status, `cached` reads half of its input from
a cache, `reasoning` thinks; every other one answers plainly. What serves it has a longer name, with SERVED at its end.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

SERVED: Final = "-2026-01-01"
FIRST_SECONDS: Final = 0.12
_GAP_SECONDS: Final = 0.03
_WORDS: Final = ("Seven", " lamps", " stand", " on", " the", " quay", ".")
_ERRORS: Final = {
    400: ("invalid_request_error", "bad_request"),
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    500: ("server_error", "internal_error"),
}
_CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


@dataclass(slots=True)
class Served:
    """One request as the server saw it; `usage` counts only when it was told to the client."""

    model: str
    path: str
    status: int
    stream: bool
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    reasoning_tokens: int | None = None


class Upstream:
    """Context manager: the server on a free port; `take()` hands over its books and begins new ones."""

    def __init__(self) -> None:
        self._books: list[Served] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.note = self.note  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """What a user writes as OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def note(self, served: Served) -> None:
        """Write into the books."""
        with self._lock:
            self._books.append(served)

    def take(self) -> list[Served]:
        """All that was served since the last time."""
        with self._lock:
            books, self._books = self._books, []
            return books

    def __enter__(self) -> Self:
        """Listening."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stopped."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        model, path, stream = asked["model"], self.path.partition("?")[0], bool(asked.get("stream"))
        if model.startswith("status-"):
            status = int(model.split("-")[1])
            self._note(Served(model, path, status, stream))
            self._fail(status)
            return
        served = Served(model + SERVED, path, 200, stream, *_tokens(asked, path))
        if stream:
            chunks = _chat_chunks(asked, served) if path.endswith("/chat/completions") else _response_events(served)
            self._stream(chunks)
        else:
            self._send(200, _answer(asked, served))
        if stream and path.endswith("/chat/completions") and not _usage_asked(asked):
            served.input_tokens = served.output_tokens = served.cache_read_tokens = served.reasoning_tokens = None
        self._note(served)

    def _note(self, served: Served) -> None:
        self.server.note(served)  # type: ignore[attr-defined]

    def _fail(self, status: int) -> None:
        kind, code = _ERRORS[status]
        error = {"message": f"This model always answers {status}.", "type": kind, "param": None, "code": code}
        self._send(status, {"error": error})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        time.sleep(_GAP_SECONDS)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, chunks: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        time.sleep(FIRST_SECONDS)
        try:
            for chunk in chunks:
                self.wfile.write(chunk.encode())
                self.wfile.flush()
                time.sleep(_GAP_SECONDS)
        except OSError:  # the client went away in the middle, as it may
            return


def _usage_asked(asked: dict[str, Any]) -> bool:
    return bool((asked.get("stream_options") or {}).get("include_usage"))


def _tokens(asked: dict[str, Any], path: str) -> tuple[int, int | None, int | None, int | None]:
    """Input, output, cached and reasoning tokens: of every model others, so that a mix-up shows."""
    model = asked["model"]
    size = 40 + sum(model.encode()) % 97
    if path.endswith("/embeddings"):
        return size, None, None, None
    return size, len(_WORDS) + len(model), size // 2 if "cached" in model else 0, 3 if "reasoning" in model else 0


def _usage(served: Served) -> dict[str, Any]:
    """Of a chat."""
    total = (served.input_tokens or 0) + (served.output_tokens or 0)
    return {
        "prompt_tokens": served.input_tokens,
        "completion_tokens": served.output_tokens,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": served.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": served.reasoning_tokens, "audio_tokens": 0},
    }


def _answer(asked: dict[str, Any], served: Served) -> dict[str, Any]:
    if served.path.endswith("/embeddings"):
        asked_for = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        data = [{"object": "embedding", "index": at, "embedding": [0.1, 0.2, 0.3]} for at, _ in enumerate(asked_for)]
        usage = {"prompt_tokens": served.input_tokens, "total_tokens": served.input_tokens}
        return {"object": "list", "data": data, "model": served.model, "usage": usage}
    if served.path.endswith("/responses"):
        return _response(served, "completed")
    message: dict[str, Any] = {"role": "assistant", "content": "".join(_WORDS)}
    reason = "stop"
    if asked.get("tools"):
        message, reason = {"role": "assistant", "content": None, "tool_calls": [_CALL]}, "tool_calls"
    elif (asked.get("response_format") or {}).get("type", "text") != "text":
        message["content"] = '{"city": "Oslo"}'
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    return {**_frame(served, "chat.completion"), "choices": [choice], "usage": _usage(served)}


def _frame(served: Served, kind: str) -> dict[str, Any]:
    """What every object of a chat begins with."""
    return {
        "id": "chatcmpl-" + served.model,
        "object": kind,
        "created": int(time.time()),
        "model": served.model,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def _chat_chunks(asked: dict[str, Any], served: Served) -> Iterator[str]:
    frame = _frame(served, "chat.completion.chunk")
    for at, word in enumerate(_WORDS):
        delta = {"content": word, **({"role": "assistant"} if at == 0 else {})}
        yield _event(frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event(frame | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if _usage_asked(asked):
        yield _event(frame | {"choices": [], "usage": _usage(served)})
    yield "data: [DONE]\n\n"


def _response(served: Served, status: str) -> dict[str, Any]:
    """An object of the Responses API."""
    text = {"type": "output_text", "text": "".join(_WORDS), "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    done = status == "completed"
    usage = {
        "input_tokens": served.input_tokens,
        "input_tokens_details": {"cached_tokens": served.cache_read_tokens},
        "output_tokens": served.output_tokens,
        "output_tokens_details": {"reasoning_tokens": served.reasoning_tokens},
        "total_tokens": (served.input_tokens or 0) + (served.output_tokens or 0),
    }
    return {
        "id": "resp_" + served.model,
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": served.model,
        "output": [message] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if done else None,
    }


def _response_events(served: Served) -> Iterator[str]:
    message = {"type": "message", "id": "msg_1", "status": "in_progress", "role": "assistant", "content": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    yield _named("response.created", {"response": _response(served, "in_progress"), "sequence_number": 0})
    yield _named("response.output_item.added", {"output_index": 0, "item": message, "sequence_number": 1})
    yield _named("response.content_part.added", {**place, "part": part, "sequence_number": 2})
    for at, word in enumerate(_WORDS):
        yield _named("response.output_text.delta", {**place, "delta": word, "logprobs": [], "sequence_number": 3 + at})
    done = _response(served, "completed")
    yield _named("response.output_item.done", {"output_index": 0, "item": done["output"][0], "sequence_number": 10})
    yield _named("response.completed", {"response": done, "sequence_number": 11})


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body)}\n\n"


def _named(kind: str, body: dict[str, Any]) -> str:
    return f"event: {kind}\n" + _event({"type": kind, **body})
