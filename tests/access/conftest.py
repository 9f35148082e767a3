"""The furnished world, filled once for all tests of this folder and taken back afterwards: none of them changes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.conf import settings as live
from django.db import connection, transaction
from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator
from pytest_django.plugin import DjangoDbBlocker

from tests import make
from tests.access import extras, world
from tests.access.asking import around
from tests.access.visitors import Visitors


@pytest.fixture
def _django_db_helper(django_db_setup: None) -> None:
    """No transaction per test, which would end the one around the world: `Door.ask` takes back what it wrote."""


@pytest.fixture(scope="package")
def visitors(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitors]:
    """Everybody at the door of the furnished world, at one instant, asking without end."""
    folder = tmp_path_factory.mktemp("access")
    calm = {"QUERIES_PER_MINUTE": 10**9, "SUGGESTIONS_PER_MINUTE": 10**9}
    places: dict[str, Path] = {"UPLOAD_DIR": folder / "uploads", "EXPORT_DIR": folder / "exports"}
    with (
        django_db_blocker.unblock(),
        override_settings(**calm, **places),
        time_machine.travel(make.NOW, tick=False),
        # What goes from the disk does not come back with the rows; and the description is the same for everybody.
        mock.patch("teams.oidc.flow.discover", extras.discovered),
        mock.patch("analytics.exports.jobs.folder.remove"),
        mock.patch("ingestion.uploads.files.remove"),
        mock.patch.object(SchemaGenerator, "get_schema", return_value=described()),
        around(),
    ):
        assert folder in live.UPLOAD_DIR.parents
        yield Visitors(world.build())
        transaction.set_rollback(True)
    with django_db_blocker.unblock():
        connection.close_if_unusable_or_obsolete()


def described() -> dict[str, Any]:
    """The description of the API, made once: it takes a third of a second."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # untyped library
    return made
