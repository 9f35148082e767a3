"""How many wrong passwords are looked at, per account and per address. For django-axes, which keeps count."""

import ipaddress
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_LONGEST: Final = 254
_NETWORK: Final = 64  # bits of an IPv6 address that one customer of a provider has; the rest is theirs to change


class Counter(AxesDatabaseHandler):
    """Counts for accounts and addresses apart: many people of one office share an address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures of the account, or those of the address on the scale of accounts, whichever are more."""
        by_name, by_address = (
            attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        if request.axes_ip_address is None:  # type: ignore[attr-defined]  # set by axes; behind a socket nobody knows
            return int(by_name)
        scaled = by_address * settings.AXES_FAILURE_LIMIT // settings.SIGN_IN_TRIES_PER_ADDRESS
        return int(max(by_name, scaled))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A success forgives the failures of that account alone: an own account must not clear the address."""
        name = account_name(request, credentials)
        return int(AccessAttempt.objects.filter(username=name).delete()[0])


def account_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """What was typed as e-mail, in one spelling: accounts do not depend on its case."""
    typed = (credentials or {}).get("username") or (request.POST.get("username") if request is not None else "") or ""
    return str(typed).replace("\0", "").strip().lower()[:_LONGEST]


def forgive(email: str) -> None:
    """Whoever has read a mail sent to the address is its owner: wrong passwords of before do not count."""
    AccessAttempt.objects.filter(username=account_name(None, {"username": email})).delete()


def client_address(request: HttpRequest) -> str | None:
    """Where a request comes from; of IPv6 the network. None when that is not known.

    `X-Forwarded-For` is believed behind a proxy alone, and of it the last part, which that proxy has written.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:  # a proxy that does not say: not known, for its own address is everybody's
        text = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or ipaddress.ip_network((address, _NETWORK), strict=False).network_address
    return str(address)


def locked(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """The answer while nothing is looked at; the same for accounts that exist and those that do not."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    page = render(request, "teams/locked.html", {"minutes": minutes}, status=429)
    page["Retry-After"] = str(minutes * 60)
    return page
