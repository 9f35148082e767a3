"""OpenID Connect on the wire: what a provider says of itself, the way there and back, claims that are checked."""

from teams.oidc.discovery import Document, check_keys, discover
from teams.oidc.flow import Answer, begin, callback_address, finish
from teams.oidc.transport import ForgedError, ProviderError

__all__ = [
    "Answer",
    "Document",
    "ForgedError",
    "ProviderError",
    "begin",
    "callback_address",
    "check_keys",
    "discover",
    "finish",
]
