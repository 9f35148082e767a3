"""A domain is proven by one organization; others may name it without effect. Apart: PostgreSQL alters no table with pending changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two constraints."""

    dependencies = [("teams", "0008_proven_domains")]

    operations = [
        migrations.AddConstraint(
            "providerdomain", models.UniqueConstraint(fields=("provider", "domain"), name="domain_once_of_provider")
        ),
        migrations.AddConstraint(
            "providerdomain",
            models.UniqueConstraint(
                condition=models.Q(("proof", ""), _negated=True), fields=("domain",), name="domain_proven_once"
            ),
        ),
    ]
