"""Exchange rates of a second currency: one per currency and instant, never rewritten."""

from decimal import Decimal
from functools import partial

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Who added a row may be forgotten with the person. SQLite forgets triggers when a later migration makes the table anew:
# such a migration must create this one again.
_COLUMNS = "organization_id, currency, rate, effective_from, note, created_at"
_CREATE = {
    "postgresql": f"""
CREATE FUNCTION analytics_exchangerate_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE EXCEPTION 'analytics_exchangerate is append-only: add a later row instead' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER analytics_exchangerate_append_only BEFORE UPDATE OF {_COLUMNS} ON analytics_exchangerate
FOR EACH ROW EXECUTE FUNCTION analytics_exchangerate_refuse();
""",
    "sqlite": f"""
CREATE TRIGGER analytics_exchangerate_append_only BEFORE UPDATE OF {_COLUMNS} ON analytics_exchangerate
BEGIN SELECT RAISE(ABORT, 'analytics_exchangerate is append-only: add a later row instead'); END;
""",
}
_DROP = {
    "postgresql": "DROP TRIGGER analytics_exchangerate_append_only ON analytics_exchangerate; "
    "DROP FUNCTION analytics_exchangerate_refuse();",
    "sqlite": "DROP TRIGGER analytics_exchangerate_append_only;",
}


def run(statements: dict[str, str], apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The statement of the database's own dialect."""
    schema_editor.execute(statements[schema_editor.connection.vendor], params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0003_compute_anew'),
        ('teams', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(help_text='ISO 4217 code such as EUR.', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}\\Z', 'A currency is a code of three letters, such as EUR.')])),
                ('rate', models.DecimalField(decimal_places=8, help_text='How many units of the currency one US dollar is, at most eight decimals: 0.9213.', max_digits=18, validators=[django.core.validators.MinValueValidator(Decimal('1E-8'), 'A rate is above 0.')], verbose_name='units for 1 USD')),
                ('effective_from', models.DateTimeField(help_text='For periods that end after this instant (UTC).')),
                ('note', models.CharField(blank=True, help_text='Where the rate comes from.', max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exchange_rates', to='teams.organization')),
            ],
            options={
                'ordering': ['-effective_from', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='rate_above_zero'), models.UniqueConstraint(fields=('organization', 'currency', 'effective_from'), name='rate_once_per_instant', violation_error_message='There is a rate of this currency from this instant on. Rates are never changed: add one from a later instant.')],
            },
        ),
        migrations.RunPython(partial(run, _CREATE), partial(run, _DROP)),
    ]
