from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    mail = apps.get_model("analytics", "OutboxMail")
    statement = apps.get_model("analytics", "Statement")
    of = statement.objects.filter(pk=OuterRef("statement")).values("period__organization")
    mail.objects.filter(organization=None).update(organization=Subquery(of))


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0011_budgets'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
