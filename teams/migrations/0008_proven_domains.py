"""Domains of single sign-on are proven. Those in use count as confirmed by the operator: nobody is locked out."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

from teams.models.sign_in import new_token


def confirm(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Each gets a token of its own as well."""
    for one in apps.get_model("teams", "ProviderDomain").objects.all():
        one.token, one.proof, one.proven_at = new_token(), "operator", timezone.now()
        one.save(update_fields=["token", "proof", "proven_at"])


class Migration(migrations.Migration):
    """Columns of a small table."""

    dependencies = [("teams", "0007_finance_mails")]

    operations = [
        migrations.AddField("providerdomain", "token", models.CharField(default="", editable=False, max_length=64)),
        migrations.AlterField(
            "providerdomain", "token", models.CharField(default=new_token, editable=False, max_length=64)
        ),
        migrations.AddField(
            "providerdomain",
            "proof",
            models.CharField(
                blank=True,
                choices=[("", "not proven"), ("dns", "proven by DNS"), ("operator", "confirmed by the operator")],
                default="",
                editable=False,
                max_length=8,
            ),
        ),
        migrations.AddField("providerdomain", "proven_at", models.DateTimeField(editable=False, null=True)),
        migrations.AlterField("providerdomain", "domain", models.CharField(max_length=253)),
        migrations.RunPython(confirm, migrations.RunPython.noop),
    ]
