"""Every mail says whose it is: so far only its statement did."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    mail = apps.get_model("analytics", "OutboxMail")
    statement = apps.get_model("analytics", "Statement")
    of = statement.objects.filter(pk=OuterRef("statement")).values("period__organization")
    mail.objects.filter(organization=None).update(organization=Subquery(of))


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0013_budgets'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
