"""Every stored hour is computed once more from its facts, with the columns that 0002 added."""


from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The next rollup does the rest; until then the new columns are 0 for the hours of the past."""
    hours = apps.get_model("analytics", "HourAggregate").objects.values_list("organization_id", "bucket_start")
    changed, now = apps.get_model("ingestion", "ChangedHour"), timezone.now()
    changed.objects.bulk_create(
        [
            changed(organization_id=organization, hour_start=hour, appended_at=now)
            for organization, hour in hours.distinct().order_by()
        ],
        batch_size=2_000,
    )


class Migration(migrations.Migration):

    dependencies = [("analytics", "0002_compared_costs"), ("ingestion", "0009_what_terms_need")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
