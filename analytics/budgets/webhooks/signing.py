"""The body of a call and its signature: HMAC-SHA256 over the instant and the body, with a secret of the budget.

The secret is derived from SECRET_KEY and the budget's salt, so that the database alone signs nothing.
"""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Final

from django.conf import settings

from analytics.models import Budget, Notice

PREFIX: Final = "whsec_"
_WORDS: Final = ("path", "subject")


def secret_of(budget: Budget) -> str:
    """What the listener checks signatures with; "" without a webhook."""
    if not budget.webhook_salt:
        return ""
    message = f"budget webhook {budget.pk} {budget.webhook_salt}"
    return PREFIX + hmac.new(settings.SECRET_KEY.encode(), message.encode(), hashlib.sha256).hexdigest()


def body_of(notice: Notice) -> bytes:
    """The notice as JSON: its figures and its words."""
    document = notice.document
    told = {name: value for name, value in document.items() if name not in _WORDS}
    told |= {"id": notice.pk, "text": document["subject"], "url": settings.PORTAL_URL + document["path"]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def signature(secret: str, at: datetime, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: the instant is part of what is signed, so that an old call cannot be sent again."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
