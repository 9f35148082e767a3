"""Every stored hour of which the requests are kept is computed anew: columns that tell kinds of samples apart are new."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The next rollup does the rest; until then these hours are answered from facts. Older ones never know."""
    kept = apps.get_model("analytics", "HourAggregate").objects.filter(grain="requests")
    changed, now = apps.get_model("ingestion", "ChangedHour"), timezone.now()
    changed.objects.bulk_create(
        [
            changed(organization_id=organization, hour_start=hour, appended_at=now)
            for organization, hour in kept.values_list("organization_id", "bucket_start").distinct().order_by()
        ],
        batch_size=2_000,
    )


class Migration(migrations.Migration):
    """No column of a table changes: sums are packed by name."""

    dependencies = [("analytics", "0011_frozen_meters")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
