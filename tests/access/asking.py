"""Asks every address as everybody, and says what came of it: one request, one answer, nothing kept."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.core import mail
from django.db import connection, transaction
from django.test import RequestFactory
from django.test.client import ClientHandler
from django.urls import URLPattern, URLResolver, get_resolver

METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
MARKUP: Final = "<img src=x onerror=alert(1)>"
"""In names of the world: in pages it is text."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SIGN_IN: Final = ("/sign-in", "/admin/login/")
# Tables that a request may touch whatever it may do: who came, with which key, and what was refused.
NOTED: Final = frozenset({"django_session", "teams_apikey.last_used_at", "teams_auditentry", "axes_accessattempt"})
_WRITE: Final = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?(?: SET "(\w+)")?', re.IGNORECASE)
_TOKENS: Final = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|"request_id": ?"[^"]*"')


def routes() -> list[str]:
    """Every pattern of the resolver, in its order: the same text twice is one address."""
    return list(views())


def views() -> dict[str, Callable[..., Any]]:
    """What answers at each pattern."""
    return dict(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for one in patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, path)
        else:
            yield path, one.callback


@dataclass
class Answer:
    """What a request got, and which tables it wrote to."""

    status: int
    body: str
    headers: str
    location: str
    mails: str
    writes: set[str] = field(default_factory=set)

    @property
    def letter(self) -> str:
        """The answer as the table has it."""
        if self.status in (301, 302) and self.location.startswith(SIGN_IN):
            return "S"
        if self.location == "/admin/":
            return "R"
        return {401: "K", 403: "N", 404: "0", 405: "M"}.get(self.status, "E" if self.status >= 500 else "Y")

    @property
    def said(self) -> str:
        """Everything that left the portal."""
        return f"{self.headers}\n{self.body}\n{self.mails}"

    @property
    def run(self) -> list[str]:
        """What a browser or a spreadsheet would run of the names in it."""
        found = ["markup of a name"] if "'text/html" in self.headers and MARKUP in self.body else []
        rows = csv.reader(self.body.splitlines()) if "'text/csv" in self.headers else ()
        return found + ["a formula"] * any(cell.startswith("=") for row in rows for cell in row)


class Door(RequestFactory):
    """The application without a client around it: no cookies are kept, no templates are copied."""

    def __init__(self, *, enforce_csrf_checks: bool = False) -> None:
        super().__init__()
        self.handler = ClientHandler(enforce_csrf_checks=enforce_csrf_checks)

    def request(self, **given: Any) -> Any:
        """The answer of the application."""
        return self.handler(self._base_environ(**given))  # type: ignore[attr-defined] # of every RequestFactory

    def ask(
        self, method: str, path: str, *, body: bytes = b"", content_type: str = "", cookie: str = "", key: str = ""
    ) -> Answer:
        """Ask, read the answer to its end, and take back whatever was written."""
        self.cookies.clear()
        if cookie:
            self.cookies["sessionid"] = cookie
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with _undone() as writes:
            mail.outbox.clear()
            response: Any = self.generic(method, path, body, content_type=content_type or "text/plain", headers=headers)
            content = b"".join(response.streaming_content) if response.streaming else response.content
        return Answer(
            response.status_code,
            _TOKENS.sub('"request_id":""', content.decode("utf-8", "replace").replace(path, "PATH")),
            repr(dict(response.headers)).replace(path, "PATH"),
            response.headers.get("Location", ""),
            "".join(str(one.message()) for one in mail.outbox),
            writes,
        )


def around() -> transaction.Atomic:
    """A transaction that durable ones may be inside of, as the test runner's own."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    return block


@contextmanager
def _undone() -> Iterator[set[str]]:
    """Whatever is written inside is taken back; yields the tables."""
    written: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        found = _WRITE.match(sql)
        if found:
            table, column = found.groups()
            written.add(f"{table}.{column}" if column == "last_used_at" else table)
        return execute(sql, *rest)

    with around(), connection.execute_wrapper(note):
        yield written
        transaction.set_rollback(True)


def document(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Body and content type of JSON."""
    return {"body": json.dumps(fields).encode(), "content_type": "application/json"}
