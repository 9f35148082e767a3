"""A mail on a page: how it looks, its HTML in a frame, a test of it; of mails about a team and about all teams."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.chargeback import recipients
from analytics.chargeback.delivery import Delivery
from analytics.chargeback.recipients import NoPreviewError

Make = Callable[[], EmailMultiAlternatives]
# A mail has its styles inside; in a frame without an origin it runs and reaches nothing.
_OF_A_MAIL: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def shown(request: HttpRequest, context: dict[str, Any], make: Make) -> HttpResponse:
    """The page of a mail, or why there is none."""
    try:
        context["mail"] = recipients.parts(make())
    except NoPreviewError as refusal:
        context["refusal"] = str(refusal)
    return render(request, "analytics/statements/preview.html", context)


def framed(make: Make) -> HttpResponse:
    """The HTML of a mail, for the frame of its page."""
    try:
        mail = recipients.parts(make())
    except NoPreviewError:
        raise Http404 from None
    return HttpResponse(mail["html"], headers={"Content-Security-Policy": _OF_A_MAIL})


def tried(request: HttpRequest, address: str, send: Callable[[], Delivery]) -> None:
    """Send a test and say what became of it."""
    try:
        refused = recipients.told(send())
    except NoPreviewError as refusal:
        refused = str(refusal)
    except ValidationError as refusal:
        refused = " ".join(refusal.messages)
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, f"A test is on its way to {address}.")
