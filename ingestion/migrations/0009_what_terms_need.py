"""Facts without a discount were contracted at their cost; entries of one line and instant correct each other."""


from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

_LINE = (
    *("organization_id", "source", "provider", "match_kind", "model_match", "token_class", "service_tier"),
    *("context_above", "effective_from"),
)


def contract(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """No discount existed, so the two are equal."""
    apps.get_model("ingestion", "LLMRequest").objects.filter(cost__isnull=False).update(contracted_cost=F("cost"))


def chain(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Each entry names the one before it of the same line and instant."""
    entries, last = apps.get_model("ingestion", "PriceEntry").objects, {}
    for pk, *line in entries.order_by("pk").values_list("pk", *_LINE).iterator():
        earlier = last.get(tuple(line))
        if earlier is not None:
            entries.filter(pk=pk).update(corrects_id=earlier)
        last[tuple(line)] = pk


class Migration(migrations.Migration):

    dependencies = [("ingestion", "0008_terms")]

    operations = [
        migrations.RunPython(contract, migrations.RunPython.noop),
        migrations.RunPython(chain, migrations.RunPython.noop),
    ]
