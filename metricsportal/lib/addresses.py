"""Which addresses that people enter the portal calls: of the public network, and of networks that operators allow.

The only place that decides this. The name is looked up once for each call, and the connection goes to the very address
that was checked (`outbound`): a name that answers differently the second time (DNS rebinding) reaches nothing.
"""

import socket
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ip_network("64:ff9b::/96")
_UNICAST: Final = ip_network("2000::/3")  # all that is given out; `is_global` says yes to more


class Why(Enum):
    """Why nothing is sent to an address."""

    NO_ADDRESS = auto()  # this text is none
    NOT_HTTPS = auto()  # or no host
    CREDENTIALS = auto()  # a user name, password or fragment in it
    UNENCRYPTED = auto()  # http to where only https may go
    INSIDE = auto()  # private, loopback, reserved


class RefusedError(Exception):
    """Nothing may be sent there."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.name)
        self.why = why


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be called besides https on the public network."""

    encrypted: tuple[Network, ...] = ()
    plain: tuple[Network, ...] = ()
    """By http; not necessarily part of `encrypted`."""

    def allows(self, address: Address, scheme: str) -> bool:
        """Whether a connection may go there."""
        real = _inner(address)
        if any(real.version == one.version and real in one for one in (self.plain if scheme == "http" else ())):
            return True
        if scheme != "https":
            return False
        return _is_public(real) or any(real.version == one.version and real in one for one in self.encrypted)


@dataclass(frozen=True, slots=True)
class Target:
    """An address in parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse(text: str, reach: Reach) -> Target:
    """The parts of an address that may be called. Names are not looked up here: `resolve` does, for each call.

    Raises RefusedError.
    """
    target = _parts(text)
    literal = _literal(target.host)
    if literal is not None and not reach.allows(literal, target.scheme):
        raise RefusedError(_why(target.scheme))
    if target.scheme == "http" and literal is None and not reach.plain:
        raise RefusedError(Why.NOT_HTTPS)
    return target


def resolve(target: Target, reach: Reach) -> Address:
    """The address to connect to. Raises RefusedError when any address of the name may not be called.

    Raises OSError for a name that cannot be looked up now.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise RefusedError(Why.NO_ADDRESS) from None  # a label that no name may have
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(reach.allows(one, target.scheme) for one in addresses):
        raise RefusedError(_why(target.scheme))
    return addresses[0]


def _parts(text: str) -> Target:
    if any(one.isspace() or one in '\\"<>' or not one.isascii() or not one.isprintable() for one in text):
        raise RefusedError(Why.NO_ADDRESS)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RefusedError(Why.NO_ADDRESS) from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise RefusedError(Why.NOT_HTTPS)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise RefusedError(Why.CREDENTIALS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname.rstrip("."), port or PORTS[parts.scheme], path)


def _is_public(real: Address) -> bool:
    if isinstance(real, IPv6Address) and real not in _UNICAST:
        return False
    return real.is_global and not real.is_multicast


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


def _why(scheme: str) -> Why:
    return Why.UNENCRYPTED if scheme == "http" else Why.INSIDE
