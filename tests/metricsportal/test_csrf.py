"""S7: every unsafe method of every address wants the token of the form, also where the middleware does not ask."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from teams.authentication import SessionAuthentication
from teams.models import User

# They take keys alone; `requests` also asks, through the REST framework; `uploads` and `bills` read it before the file;
# `unsubscribe` is posted to by mail programs, with a signed link.
EXEMPT: Final = {"ingest-litellm", "ingest-envoy", "otlp-traces", "otlp-metrics", "otlp-logs", "langfuse-batch"} | {
    "langfuse-otlp-traces",
    "requests",
    "uploads",
    "unsubscribe",
    "bills",
}
ARGUMENTS: Final = {"slug": "acme", "uuid": "00000000-0000-4000-8000-000000000000", "int": "1"}


def exempt(found: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Address, name and view of whatever Django's middleware lets pass."""
    for one in found:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from exempt(one.url_patterns, path)
        elif getattr(one.callback, "csrf_exempt", False):
            yield path, str(one.name), one.callback


def test_the_middleware_asks_and_the_rest_framework_does_for_sessions() -> None:
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
    passed = {name for _, name, view in exempt(get_resolver().url_patterns) if not hasattr(view, "cls")}
    assert passed - {"None"} == EXEMPT  # None: what answers 404 below /api/
    for _, name, view in exempt(get_resolver().url_patterns):
        for each in getattr(getattr(view, "cls", None), "authentication_classes", []):
            session = each.__name__.startswith("Session")
            assert not session or issubclass(each, SessionAuthentication), name


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_session_without_a_token_changes_nothing(owner: User, method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answered = {}
    for path, name, _ in exempt(get_resolver().url_patterns):
        address = "/" + re.sub(r"<(\w+):\w+>", lambda found: ARGUMENTS.get(found[1], "x"), path).strip("^$")
        address = address.replace(r"[\s\S]*", "absent")
        answered[name] = getattr(client, method)(address, "{}", content_type="application/json").status_code
    assert set(answered.values()) <= {401, 403, 404, 405}, answered
    assert {name for name, status in answered.items() if status == 403} or method == "put"
