"""Addresses that people enter, in both uses: webhooks of budgets and providers of single sign-on."""

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import Any, Final

import pytest
import requests
from pytest_django import Settings

from analytics.budgets.webhooks.addresses import WebhookRefusedError, check_address, reach
from metricsportal.lib.addresses import RefusedError, parse, resolve
from metricsportal.lib.outbound import exchange
from teams.oidc.transport import Adapter, ProviderError
from teams.oidc.transport import check_address as check_provider

INSIDE: Final = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "localhost", "a.localhost", "localhost."),
    *("10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[fec0::1]"),
    *("[::ffff:10.0.0.1]", "[::10.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]"),
    *("0.0.0.0", "[::]", "100.64.0.1", "224.0.0.1", "239.1.1.1", "[ff0e::1]", "255.255.255.255", "192.0.2.1"),
)
WRONG: Final = (
    *("", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "//example.com"),
    *("https://user:word@example.com/", "https://example.com:99999/", "https://example.com:0/", "https://a:b:c/"),
    *("https://exa mple.com/", "https://example.com/#part", "javascript:alert(1)", "https://ex\nample.com/"),
    *("https://example.com\\@10.0.0.1/", "https://münchen.example/", "https://exam\x7fple.com/"),
)
# What a name may lead to, as a resolver writes it.
LEADS: Final[tuple[list[str], ...]] = (
    *(["8.8.8.8", "10.0.0.1"], ["127.0.0.1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]),
    *(["239.1.1.1"], ["ff0e::1"], ["2606:4700::1111", "fd00::1"], []),
)
_PUBLIC: Final = "https://hooks.example.com/"


def _webhook(url: str) -> None:
    exchange("POST", check_address(url), reach(), b"{}", {})


def _provider(url: str) -> None:
    Adapter().get_requests_session().get(url)


def _issuer(url: str) -> None:
    check_provider(url, "It")


USES: Final = pytest.mark.parametrize("use", [_webhook, _provider, _issuer])
Use = Callable[[str], None]
REFUSALS: Final = (WebhookRefusedError, RefusedError, ProviderError)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection is wrong."""

    def opened(*arguments: object, **options: object) -> socket.socket:
        raise AssertionError(f"connected to {arguments}")

    monkeypatch.setattr(socket, "create_connection", opened)


def _resolves(monkeypatch: pytest.MonkeyPatch, *answers: list[str], port: int = 443) -> list[str]:
    """The names that are looked up: with these answers, one after the other, the last for ever."""
    asked: list[str] = []

    def look(host: str, *arguments: Any, **options: Any) -> list[Any]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return asked


@USES
@pytest.mark.parametrize("url", [*(f"https://{host}/" for host in INSIDE), *WRONG])
def test_what_is_no_public_address_is_refused(
    use: Use, url: str, monkeypatch: pytest.MonkeyPatch, unreachable: None
) -> None:
    asked = _resolves(monkeypatch, ["8.8.8.8"])
    with pytest.raises(REFUSALS):
        use(url)
    assert asked == []  # the address alone says so: a resolver that lies changes nothing


@USES
@pytest.mark.parametrize("found", LEADS)
def test_names_that_lead_inside_are_refused(
    use: Use, found: list[str], monkeypatch: pytest.MonkeyPatch, unreachable: None
) -> None:
    _resolves(monkeypatch, found)
    with pytest.raises(REFUSALS):
        use("https://inside.example.com/")


def test_private_networks_are_allowed_for_each_use_apart(settings: Settings) -> None:
    settings.SSO_PRIVATE, settings.WEBHOOK_PRIVATE_NETWORKS = True, []
    _issuer("https://10.0.0.1/")
    with pytest.raises(WebhookRefusedError):
        check_address("https://10.0.0.1/")
    settings.SSO_PRIVATE, settings.WEBHOOK_PRIVATE_NETWORKS = False, ["10.0.0.0/8"]
    assert check_address("http://10.0.0.1:8080/a?b=c").path == "/a?b=c"
    with pytest.raises(ProviderError, match="private network"):
        _issuer("https://10.0.0.1/")


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "https://[fe80::1]/", "http://10.0.0.1/", "https://224.0.0.1"]
)
def test_providers_in_private_networks_are_neither_link_local_nor_unencrypted(settings: Settings, url: str) -> None:
    settings.SSO_PRIVATE = True
    with pytest.raises(ProviderError):
        _issuer(url)


def test_public_addresses_are_allowed() -> None:
    target = check_address("https://hooks.example.com/a/b?c=d")
    assert (target.host, target.port, target.path) == ("hooks.example.com", 443, "/a/b?c=d")
    for one in (
        "https://8.8.8.8:8443",
        "https://[2606:4700::1111]/",
        "https://[64:ff9b::808:808]/",
        "https://[::ffff:8.8.8.8]/",
    ):
        target = check_address(one)
        assert resolve(target, reach()) == ip_address(target.host)
        _issuer(one)


class Server:
    """A listener of the loopback interface that sends everybody on."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.location = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(f"{self.headers['Host']}{self.path}")
                self.send_response(302 if outer.location else 200)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *arguments: object) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.thread = Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        self.thread.start()


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """One that both uses may reach."""
    settings.SSO_PRIVATE, settings.WEBHOOK_PRIVATE_NETWORKS = True, ["127.0.0.0/8"]
    one = Server()
    yield one
    one.server.shutdown()
    one.server.server_close()
    one.thread.join(10)


@pytest.mark.parametrize("use", [_webhook, _provider])
def test_redirects_into_private_networks_are_not_followed(use: Use, server: Server) -> None:
    server.location = f"http://127.0.0.1:{server.port}/inside"
    use(f"http://127.0.0.1:{server.port}/hook")
    assert server.asked == [f"127.0.0.1:{server.port}/hook"]


@pytest.mark.parametrize("use", [_webhook, _provider])
def test_the_checked_address_is_the_one_that_is_called(
    use: Use, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads somewhere else the second time it is looked up is looked up once."""
    asked = _resolves(monkeypatch, ["127.0.0.1"], ["10.9.8.7"], port=server.port)

    def connect(address: tuple[str, int], *arguments: object) -> socket.socket:
        assert address == ("127.0.0.1", server.port)
        raw = socket.socket()
        raw.settimeout(5)
        raw.connect(address)
        return raw

    monkeypatch.setattr(socket, "create_connection", connect)
    use(f"http://rebind.example.com:{server.port}/hook")
    assert asked == ["rebind.example.com"]
    assert server.asked == [f"rebind.example.com:{server.port}/hook"]


def test_a_provider_that_was_public_a_moment_ago_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, unreachable: None
) -> None:
    """Between the check of an endpoint and the call to it the name may have got another answer."""
    _resolves(monkeypatch, ["8.8.8.8"], ["169.254.169.254"])
    _issuer(_PUBLIC)
    with pytest.raises(ProviderError, match="private network"):
        _provider(_PUBLIC)


@USES
def test_a_name_that_is_not_found_is_no_refusal_of_its_address(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises((OSError, ProviderError)) as caught:
        use(_PUBLIC)
    assert isinstance(caught.value, socket.gaierror | requests.ConnectionError | ProviderError)
    assert not isinstance(caught.value, WebhookRefusedError)


def test_a_label_that_no_name_may_have_is_refused() -> None:
    nothing = check_address("https://" + "a" * 64 + ".example.com/")
    with pytest.raises(RefusedError):
        resolve(nothing, reach())
    assert parse("https://a.example/", reach()).authority == "a.example"
