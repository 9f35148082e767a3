"""Headers of every response."""

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from metricsportal.middleware import ResponseHeaders
from tests import make

pytestmark = pytest.mark.django_db


def answer_of(view_headers: dict[str, str], path: str = "/anything") -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("x", headers=view_headers)

    response = ResponseHeaders(view)(RequestFactory().get(path))
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize("path", ["/healthz", "/admin/login/", "/api/schema/", "/no-such-page"])
def test_every_answer_is_strict_and_private(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
        "connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert "no-store" in headers["Cache-Control"]
    assert "private" in headers["Cache-Control"]
    assert {"Cookie", "Authorization"} <= set(headers["Vary"].split(", "))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "geolocation=()" in headers["Permissions-Policy"]


def test_a_view_may_choose_otherwise() -> None:
    headers = answer_of({"Cache-Control": "max-age=60", "Content-Security-Policy": "default-src 'self'"}).headers
    assert headers["Cache-Control"] == "max-age=60"
    assert headers["Content-Security-Policy"] == "default-src 'self'"


def test_static_files_stay_cacheable() -> None:
    headers = answer_of({}, "/static/app.css").headers
    assert "Cache-Control" not in headers
    assert "Vary" not in headers
    assert "Content-Security-Policy" in headers


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "content_type", "words"),
    [
        (BROWSER, "text/html", "<h1>The database did not answer</h1>"),
        ("application/json", "application/problem+json", '"status": 503'),
        ("*/*", "text/plain", "The database did not answer in time."),
    ],
)
def test_without_a_database_everybody_is_told_in_their_own_format(
    client: Client, accept: str, content_type: str, words: str
) -> None:
    def away(*arguments: object) -> None:
        raise OperationalError("could not connect to server")

    client.force_login(make.member(make.organization("acme"), "owner"))
    with connection.execute_wrapper(away):  # the answer itself asks nothing, else it would be an error of its own
        response = client.get("/o/acme/", headers={"Accept": accept})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response["Content-Type"].startswith(content_type)
    assert words in response.text
    assert "connect to server" not in response.text
    assert "no-store" in response["Cache-Control"]
    assert "Accept" in response["Vary"].split(", ")


def test_only_what_was_asked_for_by_address_is_tried_again_by_a_link() -> None:
    answers = ResponseHeaders(lambda request: HttpResponse())
    requests = RequestFactory(headers={"Accept": BROWSER})
    pages = [
        answers.process_exception(one("/o/acme/"), OperationalError("away")) for one in (requests.get, requests.post)
    ]
    assert [page is not None and ">Try again<" in page.text for page in pages] == [True, False]
    assert answers.process_exception(requests.get("/"), ValueError("ours")) is None
