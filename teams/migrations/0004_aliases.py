"""Teams and virtual accounts that became another one, and accounts that nobody has claimed."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _unclaim(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Accounts without a team are known from traffic only."""
    apps.get_model("teams", "VirtualAccount").objects.filter(team=None, last_seen__isnull=False).update(claimed=False)


def _nothing(_: Apps, __: BaseDatabaseSchemaEditor) -> None:
    """The column goes."""


class Migration(migrations.Migration):
    """Small tables; nothing is rewritten."""

    dependencies = [("teams", "0003_preferences")]

    operations = [
        migrations.AddField(
            model_name="team",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="Traffic with this name counts for that one.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="aliases",
                to="teams.team",
            ),
        ),
        migrations.AddField(
            model_name="virtualaccount",
            name="claimed",
            field=models.BooleanField(default=True, help_text="Cleared while a name is known from traffic only."),
        ),
        migrations.AddField(
            model_name="virtualaccount",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="Traffic with this name counts for that one.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="aliases",
                to="teams.virtualaccount",
            ),
        ),
        migrations.RunPython(_unclaim, _nothing),
    ]
