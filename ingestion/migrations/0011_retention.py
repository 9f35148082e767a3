"""From when on single requests and aggregates of hours are kept, and from when on a metadata key is known."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("ingestion", "0010_append_only"), ("teams", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="metadatakey",
            name="known_from",
            field=models.DateTimeField(
                editable=False,
                help_text=(
                    "Requests from before it were removed before the key was registered: their values are unknown."
                ),
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(choices=[("requests", "Requests"), ("hours", "Hours")], max_length=16),
                ),
                (
                    "before",
                    models.DateTimeField(help_text="First instant of a local day; nothing from before it is kept."),
                ),
                ("removed", models.BigIntegerField(default=0, help_text="Rows removed so far.")),
                (
                    "finished_at",
                    models.DateTimeField(help_text="When everything before it was gone; empty until then.", null=True),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="teams.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "subject"), name="watermark_of_subject")
                ],
            },
        ),
    ]
