"""Prices and terms cannot be rewritten, and one line says one thing at one instant: the database refuses the rest."""

from collections.abc import Mapping
from functools import partial

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Coalesce

TABLES = {
    "ingestion_priceentry": (
        *("organization_id", "team_id", "virtual_account_id", "source", "provider", "model_match", "match_kind"),
        *("token_class", "context_above", "service_tier", "price", "effective_from", "corrects_id", "created_at"),
    ),
    "ingestion_priceadjustment": (
        *("organization_id", "kind", "team_id", "provider", "model_match", "match_kind", "percent"),
        *("effective_from", "corrects_id", "created_at"),
    ),
    "ingestion_modelalias": ("organization_id", "model_match", "match_kind", "provider", "model", "created_at"),
    "ingestion_costpolicy": ("organization_id", "policy", "adjust_reported", "effective_from", "created_at"),
}
CORRECTING = {
    "ingestion_priceentry": (
        *("organization_id", "team_id", "virtual_account_id", "provider", "model_match", "match_kind"),
        *("token_class", "context_above", "service_tier", "effective_from"),
    ),
    "ingestion_priceadjustment": (
        *("organization_id", "kind", "team_id", "provider", "model_match", "match_kind", "effective_from"),
    ),
}
"""A row corrects one of the same line and instant, or it would slip past the unique index. Of a catalogue, whatever edition."""
# Who added a row may be forgotten with the person; everything else stays as it was. SQLite forgets triggers when
# a later migration makes the table anew: such a migration must create them again.
_POSTGRESQL = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE EXCEPTION '{table} is append-only: add a later row instead' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER {table}_append_only BEFORE UPDATE OF {columns} ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_refuse();
"""
_CORRECTS_POSTGRESQL = """
CREATE FUNCTION {table}_refuse_other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF NOT EXISTS (SELECT 1 FROM {table} AS earlier WHERE earlier.id = NEW.corrects_id AND {same}) THEN
RAISE EXCEPTION 'a row corrects one of the same line and instant' USING ERRCODE = 'restrict_violation'; END IF;
RETURN NEW; END $$;
CREATE TRIGGER {table}_corrects BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.corrects_id IS NOT NULL)
EXECUTE FUNCTION {table}_refuse_other();
"""
_CORRECTS_SQLITE = """
CREATE TRIGGER {table}_corrects BEFORE INSERT ON {table} WHEN NEW.corrects_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM {table} AS earlier WHERE earlier.id = NEW.corrects_id AND {same})
BEGIN SELECT RAISE(ABORT, 'a row corrects one of the same line and instant'); END;
"""
_SAME = {"postgresql": "earlier.{0} IS NOT DISTINCT FROM NEW.{0}", "sqlite": "earlier.{0} IS NEW.{0}"}
_SAME_SOURCE = {
    "postgresql": "split_part(earlier.source, '@', 1) = split_part(NEW.source, '@', 1)",
    "sqlite": "substr(earlier.source, 1, instr(earlier.source || '@', '@')) = substr(NEW.source, 1, instr(NEW.source || '@', '@'))",
}
_SQLITE = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OF {columns} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: add a later row instead'); END;
"""
_DROP = {
    "postgresql": "DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {table}_refuse();",
    "sqlite": "DROP TRIGGER {table}_append_only;",
}


def run(statements: Mapping[str, str], apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One statement of the database's own dialect per table."""
    for table, columns in TABLES.items():
        text = statements[schema_editor.connection.vendor]
        schema_editor.execute(text.format(table=table, columns=", ".join(columns)), params=None)


def check_corrections(statements: Mapping[str, str], apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A trigger for each table whose rows name the one that they correct."""
    vendor = schema_editor.connection.vendor
    for table, columns in CORRECTING.items():
        parts = [_SAME[vendor].format(column) for column in columns]
        parts += [_SAME_SOURCE[vendor]] if "token_class" in columns else []
        schema_editor.execute(statements[vendor].format(table=table, same=" AND ".join(parts)), params=None)


_DROP_CORRECTS = {
    "postgresql": "DROP TRIGGER {table}_corrects ON {table}; DROP FUNCTION {table}_refuse_other();",
    "sqlite": "DROP TRIGGER {table}_corrects;",
}


class Migration(migrations.Migration):

    dependencies = [("ingestion", "0009_what_terms_need")]

    operations = [
        migrations.AddConstraint(
            model_name="priceentry",
            constraint=models.UniqueConstraint(
                Coalesce("organization", 0),
                Coalesce("team", 0),
                Coalesce("virtual_account", 0),
                models.F("source"),
                models.F("provider"),
                models.F("match_kind"),
                models.F("model_match"),
                models.F("token_class"),
                models.F("service_tier"),
                models.F("context_above"),
                models.F("effective_from"),
                condition=models.Q(corrects=None),
                name="price_once_per_instant",
            ),
        ),
        migrations.RunPython(
            partial(run, {"postgresql": _POSTGRESQL, "sqlite": _SQLITE}), partial(run, _DROP)
        ),
        migrations.RunPython(
            partial(check_corrections, {"postgresql": _CORRECTS_POSTGRESQL, "sqlite": _CORRECTS_SQLITE}),
            partial(check_corrections, _DROP_CORRECTS),
        ),
    ]
