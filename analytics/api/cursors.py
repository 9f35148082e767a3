"""Opaque, signed cursors: they work for the caller, the question and the endpoint that they were made for."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core import signing

from analytics.api.checks import refuse
from teams.access import Scope

_SALT: Final = "analytics.api.cursors"
_MOST: Final = 2048  # characters


def seal(content: Sequence[Any], scope: Scope, question: Mapping[str, Any]) -> str:
    """A cursor with that content."""
    return signing.dumps([_binding(scope, question), *content], salt=_SALT, compress=True)


def unseal(text: str, scope: Scope, question: Mapping[str, Any]) -> list[Any]:
    """The content of a cursor. Raises InvalidQueryError for an altered one, another caller's, another question's."""
    try:
        binding, *content = list[Any](signing.loads(text[:_MOST], salt=_SALT))
    except (signing.BadSignature, ValueError, TypeError):
        raise refuse(("cursor",), "invalid_cursor", "This cursor is not one of ours.") from None
    if binding != _binding(scope, question):
        raise refuse(("cursor",), "invalid_cursor", "This cursor belongs to another question.")
    return content


def _binding(scope: Scope, question: Mapping[str, Any]) -> str:
    """Hash of who asks and what: what they may see is part of it, so a demotion ends the cursor."""
    who = [scope.organization_id, scope.reach.value, sorted(scope.team_ids), scope.caller, scope.user_id]
    asked = sorted((name, value) for name, value in question.items())
    return hashlib.sha256(json.dumps([who, asked]).encode()).hexdigest()[:32]
