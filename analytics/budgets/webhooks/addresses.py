"""Which addresses a webhook may have: of the public network alone, unless the installation allows a network.

The name is looked up once for each call and the connection goes to the very address that was checked: a name that
answers differently the second time (DNS rebinding) reaches nothing.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ip_network("64:ff9b::/96")


class WebhookRefusedError(Exception):
    """Nothing may be sent there; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address, in parts."""

    scheme: str
    host: str
    port: int
    path: str


def check_address(text: str) -> Target:
    """The parts of an address that may be a webhook. Names are not looked up here: that is for each call.

    Raises WebhookRefusedError.
    """
    target = _parts(text)
    literal = _literal(target.host)
    if literal is not None and not may_reach(literal, target.scheme):
        raise WebhookRefusedError(_why(target.scheme))
    if target.scheme == "http" and literal is None and not settings.WEBHOOK_PRIVATE_NETWORKS:
        raise WebhookRefusedError("A webhook is an address that begins with https://.")
    return target


def _parts(text: str) -> Target:
    if any(one.isspace() or one in '\\"<>' or not one.isascii() for one in text):
        raise WebhookRefusedError("A webhook is an address such as https://example.com/hook, in plain letters.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise WebhookRefusedError("This is not an address such as https://example.com/hook.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise WebhookRefusedError("A webhook is an address that begins with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookRefusedError("A webhook's address holds neither a user name, a password nor a fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname.rstrip("."), port or _PORTS[parts.scheme], path)


def origin(text: str) -> str:
    """Where it leads without its path, which often is the listener's key; "" for none."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}/…" if text else ""


def resolve(target: Target) -> Address:
    """The address to connect to. Raises WebhookRefusedError when any address of the name may not be reached.

    Raises OSError for a name that cannot be looked up now.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(may_reach(one, target.scheme) for one in addresses):
        raise WebhookRefusedError(_why(target.scheme))
    return addresses[0]


def may_reach(address: Address, scheme: str) -> bool:
    """Whether the installation lets a webhook go there: without encryption inside its allowed networks alone."""
    real = _inner(address)
    for network in map(ip_network, settings.WEBHOOK_PRIVATE_NETWORKS):
        if real.version == network.version and real in network:
            return True
    return scheme == "https" and real.is_global and not real.is_multicast


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that leads to it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _literal(host: str) -> Address | None:
    """The address that the host is, in any spelling that a resolver understands (127.1, 0x7f000001)."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return IPv4Address("127.0.0.1") if host == "localhost" or host.endswith(".localhost") else None


def _why(scheme: str) -> str:
    if scheme == "http":
        return "Without encryption a webhook goes to allowed private networks alone: use https://."
    return (
        "Webhooks do not go to private, loopback or reserved addresses "
        "(the operator allows networks by PORTAL_WEBHOOK_PRIVATE_NETWORKS)."
    )
