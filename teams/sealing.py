"""Secrets that must be read again: kept in the database as ciphertext, under a key made from SECRET_KEY."""

import base64
import hashlib
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_PURPOSE: Final = b"metrics portal: secrets in the database\0"


class SealBrokenError(Exception):
    """The ciphertext was made under another SECRET_KEY, or changed."""


def seal(text: str) -> str:
    """The ciphertext of a secret, another one at each call."""
    return _box(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret. Raises SealBrokenError."""
    try:
        return _box(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBrokenError("This secret was stored under another SECRET_KEY.") from None


@lru_cache(maxsize=4)
def _box(key: str, older: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + each.encode()).digest())) for each in (key, *older)]
    )
