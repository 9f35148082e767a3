"""Callers that became another one or that nobody has claimed, and merges under way."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _unclaim(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Callers without a team are known from traffic only."""
    apps.get_model("ingestion", "GatewayUser").objects.filter(team=None).update(claimed=False)


def _nothing(_: Apps, __: BaseDatabaseSchemaEditor) -> None:
    """The column goes."""


class Migration(migrations.Migration):
    """Small tables; nothing is rewritten."""

    dependencies = [("ingestion", "0012_room_in_pages"), ("teams", "0004_aliases")]

    operations = [
        migrations.AddField(
            model_name="gatewayuser",
            name="claimed",
            field=models.BooleanField(default=True, help_text="Cleared while a name is known from traffic only."),
        ),
        migrations.AddField(
            model_name="gatewayuser",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="Traffic with this name counts for that one.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="aliases",
                to="ingestion.gatewayuser",
            ),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("team", "Team"),
                            ("virtual_account", "Virtual Account"),
                            ("caller", "Caller"),
                        ],
                        max_length=16,
                    ),
                ),
                ("name_id", models.BigIntegerField(help_text="Id of the row that became another one.")),
                ("asked_at", models.DateTimeField()),
                ("reached", models.DateTimeField(help_text="Requests of earlier hours were moved.", null=True)),
                ("moved", models.BigIntegerField(default=0, help_text="Requests so far.")),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="teams.organization"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)), fields=["organization"], name="merge_unfinished"
                    )
                ],
            },
        ),
        migrations.RunPython(_unclaim, _nothing),
    ]
