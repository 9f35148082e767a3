"""Webhooks: where they may go, how calls are signed, and a real server that refuses, hangs, redirects and drips."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread

import pytest
from pytest_django import Settings

from analytics.budgets.webhooks import calls
from analytics.budgets.webhooks.signing import secret_of
from analytics.models import Budget, WebhookCall
from analytics.query.values import InvalidQueryError
from teams.models import Organization
from tests.budgets.scene import NOW, budget, change, look, spend

State = WebhookCall.State


class Listener:
    """A server of the loopback interface: what it got, and what it does."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.location, self.hangs, self.drips = 204, "", False, False
        self.over = Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                outer.answer(self)

            def log_message(self, *arguments: object) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.hangs:
            self.over.wait(20)
            return
        if self.drips:
            while not self.over.wait(0.02):
                handler.wfile.write(b"H")
                handler.wfile.flush()
            return
        handler.send_response(self.status)
        if self.location:
            handler.send_header("Location", self.location)
        handler.end_headers()

    def stop(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    """A listener in a network that the installation allows."""
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    listener = Listener()
    yield listener
    listener.stop()


@pytest.fixture
def waiting(acme: Organization, listener: Listener) -> Budget:
    """A budget whose first threshold waits for its webhook."""
    one = budget(acme, name="<b>Größe</b>", webhook=listener.url, recipients=[])
    spend(acme, "55")
    look()
    return one


def state() -> tuple[str, int, str]:
    call = WebhookCall.objects.get()
    return str(call.state), call.tries, call.error


def verified(secret: str, header: str, body: bytes) -> bool:
    """As docs/budgets.md shows it."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


@pytest.mark.django_db
def test_a_call_is_signed(waiting: Budget, listener: Listener) -> None:
    assert calls.send_due(NOW) == 1
    assert state() == ("sent", 1, "")
    ((headers, body),) = listener.got
    assert headers["idempotency-key"] == str(WebhookCall.objects.get().key)
    assert headers["content-type"] == "application/json"
    secret = secret_of(waiting)
    assert verified(secret, headers["x-portal-signature"], body)
    assert headers["x-portal-signature"].startswith(f"t={int(NOW.timestamp())},")
    assert not verified(secret, headers["x-portal-signature"], body + b" ")
    assert not verified(secret, headers["x-portal-signature"].replace("t=1", "t=2"), body)
    document = json.loads(body)
    assert document["budget"] == {
        "id": waiting.pk,
        "name": "<b>Größe</b>",
        "about": "the whole organization",
        "every": "month",
    }
    assert (document["used"], document["amount"], document["threshold"]) == ("55", "100", 50)
    assert calls.send_due(NOW + timedelta(days=1)) == 0
    assert len(listener.got) == 1


@pytest.mark.django_db
def test_the_secret_is_not_in_the_database(waiting: Budget, settings: Settings) -> None:
    secret = secret_of(waiting)
    stored = json.dumps(list(Budget.objects.values()), default=str)
    assert secret not in stored
    assert secret.removeprefix("whsec_") not in stored
    settings.SECRET_KEY = "another" * 10
    assert secret_of(waiting) != secret


@pytest.mark.django_db
def test_what_is_refused_is_tried_again_with_growing_pauses(waiting: Budget, listener: Listener) -> None:
    listener.status = 500
    assert calls.send_due(NOW) == 0
    assert state() == ("pending", 1, "The webhook answered 500.")
    assert calls.send_due(NOW + timedelta(seconds=59)) == 0
    assert calls.send_due(NOW + timedelta(seconds=61)) == 0
    assert state()[1] == 2
    assert calls.send_due(NOW + timedelta(seconds=150)) == 0
    assert state()[1] == 2
    listener.status = 200
    assert calls.send_due(NOW + timedelta(minutes=10)) == 1
    keys = {headers["idempotency-key"] for headers, _ in listener.got}
    assert (len(listener.got), len(keys)) == (3, 1)
    WebhookCall.objects.update(state=State.PENDING, tries=calls.MOST_TRIES - 1, not_before=None)
    listener.status = 400
    assert calls.send_due(NOW) == 0
    assert state()[:2] == ("failed", calls.MOST_TRIES)


@pytest.mark.django_db
def test_redirects_are_not_followed(waiting: Budget, listener: Listener) -> None:
    listener.status, listener.location = 307, listener.url + "/elsewhere"
    assert calls.send_due(NOW) == 0
    assert len(listener.got) == 1
    assert state()[2].startswith("The webhook answered 307. Redirects are not followed")


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["hangs", "drips"])
def test_a_server_that_takes_its_time_is_cut_short(waiting: Budget, listener: Listener, way: str) -> None:
    setattr(listener, way, True)
    assert calls.send_due(NOW, deadline=0.3) == 0
    assert state()[:2] == ("pending", 1)
    assert not listener.over.is_set()


@pytest.mark.django_db
def test_an_allowed_network_that_is_not_allowed_any_more(
    waiting: Budget, listener: Listener, settings: Settings
) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    assert calls.send_due(NOW) == 0
    assert listener.got == []
    assert "Without encryption" in state()[2]


@pytest.mark.django_db
def test_a_process_that_is_gone_leaves_its_call_to_the_next(waiting: Budget, listener: Listener) -> None:
    WebhookCall.objects.update(state=State.SENDING, tries=1, lease_until=NOW)
    assert calls.send_due(NOW) == 0
    assert calls.send_due(NOW + timedelta(seconds=1)) == 1


@pytest.mark.django_db
def test_another_address_gets_another_secret(waiting: Budget, listener: Listener) -> None:
    before = secret_of(waiting)
    after = change(waiting, webhook="https://hooks.example.com/")
    assert before != secret_of(after)
    assert secret_of(change(after, webhook="")) == ""
    assert calls.send_due(NOW) == 0
    assert state()[2] == "The budget has no webhook any more."


@pytest.mark.django_db
def test_a_budget_with_a_forbidden_webhook_is_not_made(acme: Organization) -> None:
    with pytest.raises(InvalidQueryError, match="do not go to private"):
        budget(acme, webhook="https://10.1.2.3/")
    assert not Budget.objects.exists()
