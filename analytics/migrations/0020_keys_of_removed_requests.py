"""Which metadata keys occurred in requests of which team that were removed since: their aggregates still know."""

import numpy as np
from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from analytics.catalog.columns import NULL
from analytics.cells.storage import Kept, Packed


def fill(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """From the days of every registered key, of teams that are still there."""
    uses, team = apps.get_model("ingestion", "KeyOfTeam"), apps.get_model("teams", "Team")
    days = apps.get_model("analytics", "DayAggregate").objects.filter(grain="team_metadata")
    for key in apps.get_model("ingestion", "MetadataKey").objects.filter(registered=True):
        found: set[int] = set()
        for head in days.filter(metadata_key=key.pk).values_list("head", flat=True).iterator(chunk_size=100):
            kept = Kept([Packed(bytes(head))])
            teams = kept.column("team_id")[kept.column("metadata_value_id") != NULL]
            found.update(np.unique(teams).tolist())
        there = team.objects.filter(organization=key.organization_id, pk__in=found).values_list("pk", flat=True)
        uses.objects.bulk_create(
            [uses(organization_id=key.organization_id, key_id=key.pk, team_id=pk) for pk in there],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    """Rows of a small table."""

    dependencies = [("analytics", "0019_finance_mails"), ("ingestion", "0014_keys_of_teams")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
