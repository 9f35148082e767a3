"""Which metadata keys occur in the requests of which team and caller, also of those that are stored already."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_OWNERS = (("ingestion_keyofteam", "team_id"), ("ingestion_keyofcaller", "user_id"))


def fill(_: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One pass over the requests for each table: some minutes where there are tens of millions."""
    keys_of = {
        "postgresql": "CROSS JOIN LATERAL jsonb_object_keys(fact.metadata) AS own(name)",
        "sqlite": "CROSS JOIN json_each(fact.metadata) AS own",
    }[schema_editor.connection.vendor]
    name = "own.name" if schema_editor.connection.vendor == "postgresql" else "own.key"
    for table, column in _OWNERS:
        schema_editor.execute(
            f"INSERT INTO {table} (organization_id, key_id, {column}) "  # noqa: S608 - names of our own
            f"SELECT DISTINCT key.organization_id, key.id, fact.{column} FROM ingestion_llmrequest fact {keys_of} "
            f"JOIN ingestion_metadatakey key ON key.organization_id = fact.organization_id AND key.name = {name} "
            f"WHERE key.registered AND fact.{column} IS NOT NULL"
        )


def _table(name: str, owner: str, to: str, related: str, constraint: str) -> migrations.CreateModel:
    return migrations.CreateModel(
        name=name,
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to="teams.organization"
                ),
            ),
            (
                "key",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name=related,
                    to="ingestion.metadatakey",
                ),
            ),
            (owner, models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=to)),
        ],
        options={"constraints": [models.UniqueConstraint(fields=("key", owner), name=constraint)]},
    )


class Migration(migrations.Migration):
    """New tables; requests are read."""

    dependencies = [("ingestion", "0013_aliases"), ("teams", "0006_mail_choices")]

    operations = [
        _table("KeyOfTeam", "team", "teams.team", "teams", "metadata_key_of_team"),
        _table("KeyOfCaller", "user", "ingestion.gatewayuser", "callers", "metadata_key_of_caller"),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
