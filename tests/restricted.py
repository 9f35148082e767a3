"""The suite as a detector: PORTAL_TEST_RLS=on runs it as the role for which the policies hold.

A query that forgot its organization then finds nothing, or is refused, and the test that covers it turns red. What a
test does by itself sees everything; what it asks of the portal sees what the portal says. PostgreSQL alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.management import call_command
from django.db import connection

from metricsportal.lib import border
from metricsportal.row_security.policies import quoted

ROLE: Final = "portal_tests"
ON: Final = os.environ.get("PORTAL_TEST_RLS") == "on"


@contextmanager
def database() -> Iterator[None]:
    """Connections of the test database become those of the role; at the end they are its owner's again."""
    call_command("row_security", apply=True, role=ROLE, verbosity=0)
    with connection.cursor() as cursor:  # between tests rows are removed by TRUNCATE
        cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {quoted(ROLE)}")
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    options["assume_role"] = ROLE
    border.open_process("tests make rows of every organization")
    try:
        yield
    finally:
        border.close_process()
        connection.close()
        del options["assume_role"]
