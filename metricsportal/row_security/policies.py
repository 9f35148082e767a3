"""Which table has which policy, from the models: nobody writes one by hand, and nobody can forget one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import ForeignKey, Model

ORGANIZATION: Final = "teams.Organization"
OWN: Final = "portal_own"
SHARED: Final = "portal_shared"

WITHOUT: Final[Mapping[str, str]] = {
    "teams.User": "a person belongs to as many organizations as invite them; memberships have a policy",
    "teams.User_groups": "not used",
    "teams.User_user_permissions": "not used",
    "admin.LogEntry": "Django's history: who changed which id; the administration shows it beside rows it may show",
    "auth.Permission": "names of acts, the same for all",
    "auth.Group": "not used",
    "auth.Group_permissions": "not used",
    "contenttypes.ContentType": "names of models",
    "sessions.Session": "read before anybody is known",
    "axes.AccessAttempt": "counted before anybody is known",
    "axes.AccessAttemptExpiration": "as the attempt",
    "axes.AccessFailureLog": "as the attempt",
    "axes.AccessLog": "not used",
    "mfa.Authenticator": "second factors are a person's, asked before anybody is let in",
    "account.EmailAddress": "not used",
    "account.EmailConfirmation": "not used",
    "socialaccount.SocialAccount": "not used",
    "socialaccount.SocialApp": "not used",
    "socialaccount.SocialToken": "not used",
}
"""Models that belong to no organization, and why."""

# Sub-queries without references are evaluated, and their text is cast, once per statement; as plain calls once per row.
_EVERYTHING: Final = "(SELECT coalesce(current_setting('portal.everything', true), '') = 'on')"
_ORGANIZATIONS: Final = "(SELECT nullif(current_setting('portal.organizations', true), '')::bigint[])"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of a table; `check` is what a row written must satisfy, None where it only lets read."""

    name: str
    condition: str
    check: str | None


@dataclass(frozen=True)
class Table:
    """A table with policies. `column`: what names the organization, or the parent's row where `parent` is set."""

    label: str
    name: str
    column: str
    parent: str | None = None
    shared: bool = False

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """Its policies: rows of the organizations allowed; to read also rows of none, by anybody who sees any."""
        own = f"{_EVERYTHING} OR {self._of_organization()}"
        found = [Policy(OWN, own, own)]
        if self.shared:
            found.append(Policy(SHARED, f"{quoted(self.column)} IS NULL AND {_ORGANIZATIONS} IS NOT NULL", None))
        return tuple(found)

    def _of_organization(self) -> str:
        if self.parent is None:
            return f"{quoted(self.column)} = ANY ({_ORGANIZATIONS}::bigint[])"
        # The parent's own policy decides which of its rows are found.
        return f"{quoted(self.column)} IN (SELECT id FROM {quoted(self.parent)})"  # noqa: S608 - names of our models


def tables() -> list[Table]:
    """Every table with policies, by name. Raises ImproperlyConfigured for a model of which nobody said whose it is."""
    found = {model._meta.label: _table(model) for model in _models()}
    if unknown := sorted(label for label, table in found.items() if table is None and label not in WITHOUT):
        raise ImproperlyConfigured(
            f"No organization leads to {', '.join(unknown)}: give the model an organization, a required foreign key "
            "to a model that has one, or a reason in row_security/policies.py."
        )
    return sorted((table for table in found.values() if table is not None), key=lambda table: table.name)


def statements(table: Table) -> Iterator[str]:
    """What makes a table's policies anew."""
    name = quoted(table.name)
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    for known in (OWN, SHARED):
        yield f"DROP POLICY IF EXISTS {known} ON {name}"
    for policy in table.policies:
        command = "SELECT" if policy.check is None else "ALL"
        check = "" if policy.check is None else f" WITH CHECK ({policy.check})"
        yield f"CREATE POLICY {policy.name} ON {name} FOR {command} USING ({policy.condition}){check}"


def fingerprint(policy: Policy, stored: tuple[object, ...]) -> str:
    """Of what we wrote and how the database reads it: differs when either is changed."""
    return sha256(repr((policy, stored)).encode()).hexdigest()


def quoted(name: str) -> str:
    """A name of ours as it stands in a statement."""
    return connection.ops.quote_name(name)


def _models() -> list[type[Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def _table(model: type[Model]) -> Table | None:
    label, name = model._meta.label, model._meta.db_table
    if label in WITHOUT:
        return None
    if label == ORGANIZATION:
        return Table(label, name, "id")
    keys = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    for key in keys:
        if key.related_model._meta.label == ORGANIZATION:
            return Table(label, name, key.column, shared=key.null)
    for key in keys:
        if not key.null and key.related_model is not model and _table(key.related_model) is not None:
            return Table(label, name, key.column, parent=key.related_model._meta.db_table)
    return None
