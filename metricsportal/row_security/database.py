"""What the database has of it: made with the tables' owner, looked through with the role of the portal's processes."""

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from metricsportal.row_security.policies import Policy, Table, fingerprint, quoted, statements, tables

_ROLE: Final = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_TABLES: Final = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, pg_has_role(current_user, c.relowner, 'MEMBER')
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY(%s)
"""
_POLICIES: Final = """
SELECT c.relname, p.polname, p.polcmd, p.polpermissive, p.polroles::text, pg_get_expr(p.polqual, p.polrelid),
       pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
"""
_FOUND = dict[tuple[str, str], tuple[tuple[object, ...], str | None]]


def apply(role: str) -> int:
    """Make the role and all policies, in one transaction; returns how many tables have them. For the tables' owner."""
    found = tables()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in found:
            for statement in statements(table):
                cursor.execute(statement)
        stored = _policies(cursor, found)
        for table in found:
            for policy in table.policies:
                mark = fingerprint(policy, stored[table.name, policy.name][0])
                cursor.execute(f"COMMENT ON POLICY {policy.name} ON {quoted(table.name)} IS '{mark}'")
        _grant(cursor, role)
    return len(found)


def problems() -> list[str]:
    """What keeps the policies from holding for the role of this connection; empty when they hold."""
    found = tables()
    with connection.cursor() as cursor:
        return [*_problems_of_role(cursor), *_problems_of_tables(cursor, found), *_problems_of_policies(cursor, found)]


def require() -> None:
    """Refuse to start, with PORTAL_RLS=on, where the policies do not hold. Raises ImproperlyConfigured."""
    if not settings.ROW_SECURITY:
        return
    try:
        found = problems()
    except DatabaseError as error:
        raise ImproperlyConfigured(
            f"PORTAL_RLS=on: the database could not be asked before the start. {error}"
        ) from error
    finally:
        connection.close()  # nothing that is forked later may inherit it
    if found:
        raise ImproperlyConfigured("PORTAL_RLS=on: " + " ".join(found[:5]) + " See docs/row-level-security.md.")


def _grant(cursor: CursorWrapper, role: str) -> None:
    name = quoted(role)
    cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
    known = cursor.fetchone()
    if known is None:
        cursor.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
    elif known[0]:
        raise ImproperlyConfigured(f"The role {role} is a superuser or has BYPASSRLS: no policy holds for it.")
    cursor.execute("SELECT current_schema(), current_database()")
    schema, database = map(quoted, cursor.fetchone())
    cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    cursor.execute(f"GRANT TEMPORARY ON DATABASE {database} TO {name}")
    cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}")
    cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}")
    cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {name}")


def _policies(cursor: CursorWrapper, found: list[Table]) -> _FOUND:
    cursor.execute(_POLICIES, [[table.name for table in found]])
    return {(row[0], row[1]): (tuple(row[2:-1]), row[-1]) for row in cursor.fetchall()}


def _problems_of_role(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(_ROLE)
    superuser, bypasses = cursor.fetchone()
    if superuser:
        yield "The role of DATABASE_URL is a superuser: no policy holds for it."
    elif bypasses:
        yield "The role of DATABASE_URL has BYPASSRLS: no policy holds for it."


def _problems_of_tables(cursor: CursorWrapper, found: list[Table]) -> Iterator[str]:
    cursor.execute(_TABLES, [[table.name for table in found]])
    stored = {name: (forced, owned) for name, forced, owned in cursor.fetchall()}
    if any(owned for _, owned in stored.values()):
        yield "The role of DATABASE_URL owns the tables, or belongs to their owner: it could drop the policies."
    for table in found:
        if table.name not in stored:
            yield f"{table.name} does not exist: run migrate."
        elif not stored[table.name][0]:
            yield f"{table.name} has no forced row-level security: run row_security --apply."


def _problems_of_policies(cursor: CursorWrapper, found: list[Table]) -> Iterator[str]:
    stored = _policies(cursor, found)
    expected: dict[tuple[str, str], Policy] = {
        (table.name, policy.name): policy for table in found for policy in table.policies
    }
    for (table, name), policy in expected.items():
        read, mark = stored.get((table, name), ((), None))
        if not read or mark != fingerprint(policy, read):
            yield f"The policy {name} of {table} is missing or another one: run row_security --apply."
    for table, name in sorted(stored.keys() - expected.keys()):
        yield f"{table} has a policy that is not the portal's: {name}. Policies add up; drop it."
