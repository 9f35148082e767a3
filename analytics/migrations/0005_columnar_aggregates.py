"""One row per grain and bucket instead of one per cell; every stored hour is computed anew from its facts."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The next rollup does the rest; until then the hours are answered from facts or named as stale."""
    hours = apps.get_model("analytics", "HourAggregate").objects.values_list("organization_id", "bucket_start")
    changed, now = apps.get_model("ingestion", "ChangedHour"), timezone.now()
    changed.objects.bulk_create(
        [
            changed(organization_id=organization, hour_start=hour, appended_at=now)
            for organization, hour in hours.distinct().order_by()
        ],
        batch_size=2_000,
    )


def keep_plain(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Packed numbers hardly compress, and only uncompressed values can be read in part."""
    if schema_editor.connection.vendor == "postgresql":
        for table in ("analytics_houraggregate", "analytics_dayaggregate"):
            for column in ("head", "records"):
                schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def table(level: str) -> migrations.CreateModel:
    key = models.Q(("metadata_key__isnull", True))
    return migrations.CreateModel(
        name=f"{level.capitalize()}Aggregate",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("grain", models.CharField(max_length=16)),
            ("bucket_start", models.DateTimeField()),
            ("cells", models.IntegerField()),
            ("requests", models.BigIntegerField()),
            ("head", models.BinaryField()),
            ("records", models.BinaryField()),
            ("stamp", models.BigIntegerField()),
            (
                "metadata_key",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="ingestion.metadatakey",
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="+",
                    to="teams.organization",
                ),
            ),
        ],
        options={
            "indexes": [models.Index(fields=["organization", "bucket_start"], name=f"{level}_aggregate_bucket")],
            "constraints": [
                models.UniqueConstraint(
                    condition=key, fields=("organization", "grain", "bucket_start"), name=f"{level}_aggregate_of_grain"
                ),
                models.UniqueConstraint(
                    condition=models.Q(("metadata_key__isnull", False)),
                    fields=("organization", "grain", "metadata_key", "bucket_start"),
                    name=f"{level}_aggregate_of_key",
                ),
            ],
        },
    )


class Migration(migrations.Migration):

    dependencies = [("analytics", "0004_exchange_rates"), ("ingestion", "0010_append_only")]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.DeleteModel("HourAggregate"),
        migrations.DeleteModel("DayAggregate"),
        table("hour"),
        table("day"),
        migrations.RunPython(keep_plain, migrations.RunPython.noop),
    ]
