"""Pages of the facts keep room for the new rows of a repricing, which then touches no index."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Two rows of twenty: a part of a window (`ingestion.repricing.windows`) has one or two of a page.
FILLFACTOR = 90


def _leave_room(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """For pages that are filled from now on; those that are full stay so until VACUUM FULL."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"ALTER TABLE ingestion_llmrequest SET (fillfactor = {FILLFACTOR})")


def _leave_none(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE ingestion_llmrequest RESET (fillfactor)")


class Migration(migrations.Migration):
    """A setting of one table of PostgreSQL; it waits for no long transaction and rewrites nothing."""

    dependencies = [("ingestion", "0011_retention")]

    operations = [migrations.RunPython(_leave_room, _leave_none)]
