"""TXT records of a domain, asked of the machine's DNS servers or of those that the operator names."""

from collections.abc import Sequence
from typing import Final

from dns import exception, resolver

SECONDS: Final = 5.0
PORT: Final = 53


class NoAnswerError(Exception):
    """No server answered, or none could say anything about the domain."""


def texts_of(domain: str, servers: Sequence[str]) -> list[str]:
    """The texts, none where the domain has no such record or does not exist. `servers`: `address` or `address:port`.

    Raises NoAnswerError.
    """
    try:
        answer = _resolver(servers).resolve(f"{domain}.", "TXT", lifetime=SECONDS, search=False)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return []
    except (exception.DNSException, OSError, ValueError):  # ValueError: a server whose address is none
        raise NoAnswerError from None
    return [b"".join(one.strings).decode("ascii", "replace") for one in answer]


def _resolver(servers: Sequence[str]) -> resolver.Resolver:
    if not servers:
        return resolver.Resolver()
    found = resolver.Resolver(configure=False)
    parts = [_parts(one) for one in servers]
    found.nameservers = [address for address, _ in parts]
    found.nameserver_ports = dict(parts)
    return found


def _parts(server: str) -> tuple[str, int]:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    address, _, port = server.rpartition(":")
    if server.startswith("[") or (address and ":" not in address):
        return address.strip("[]") if port.isdigit() else server.strip("[]"), int(port) if port.isdigit() else PORT
    return server, PORT
