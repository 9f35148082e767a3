"""Which addresses a webhook may have, and what people are told of those that it may not."""

from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from metricsportal.lib import addresses
from metricsportal.lib.addresses import Reach, RefusedError, Target, Why

_WORDS: Final = {
    Why.NO_ADDRESS: "A webhook is an address such as https://example.com/hook, in plain letters.",
    Why.NOT_HTTPS: "A webhook is an address that begins with https://.",
    Why.CREDENTIALS: "A webhook's address holds neither a user name, a password nor a fragment.",
    Why.UNENCRYPTED: "Without encryption a webhook goes to allowed private networks alone: use https://.",
    Why.INSIDE: "Webhooks do not go to private, loopback or reserved addresses "
    "(the operator allows networks by PORTAL_WEBHOOK_PRIVATE_NETWORKS).",
}


class WebhookRefusedError(Exception):
    """Nothing may be sent there; the text is a sentence for people."""


def refused(error: RefusedError) -> WebhookRefusedError:
    """The same in words."""
    return WebhookRefusedError(_WORDS[error.why])


def reach() -> Reach:
    """The networks that the installation allows besides the public one, encrypted or not."""
    networks = tuple(map(ip_network, settings.WEBHOOK_PRIVATE_NETWORKS))
    return Reach(encrypted=networks, plain=networks)


def check_address(text: str) -> Target:
    """The parts of an address that may be a webhook, without looking up its name. Raises WebhookRefusedError."""
    try:
        return addresses.parse(text, reach())
    except RefusedError as error:
        raise refused(error) from None


def origin(text: str) -> str:
    """Where it leads without its path, which often is the listener's key; "" for none."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}/…" if text else ""
