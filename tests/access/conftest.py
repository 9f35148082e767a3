"""The furnished world, filled once for all tests of this folder and taken back afterwards: none of them changes it."""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.conf import settings as live
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.db import connection, transaction
from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
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
        described(),
        around(),
    ):
        assert folder in live.UPLOAD_DIR.parents
        yield Visitors(world.build())
        transaction.set_rollback(True)
    with django_db_blocker.unblock():
        connection.close_if_unusable_or_obsolete()


@contextmanager
def described() -> Iterator[None]:
    """The description of the API is made and written once: it takes half a second."""
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # untyped library
    render = OpenApiYamlRenderer.render
    text = OpenApiYamlRenderer().render(made, renderer_context={})  # type: ignore[no-untyped-call] # untyped library

    def rendered(renderer: Any, data: Any, *more: Any, **also: Any) -> Any:
        return text if data is made else render(renderer, data, *more, **also)  # type: ignore[no-untyped-call] # untyped library

    with (
        mock.patch.object(SchemaGenerator, "get_schema", return_value=made),
        mock.patch.object(OpenApiYamlRenderer, "render", rendered),
    ):
        yield


@pytest.fixture(scope="module")
def many_questions(visitors: Visitors) -> Iterator[None]:
    """For tests that ask thousands of times: who came is read once, and nobody writes down who was refused.

    Each request reads its session and its person before it reads anything else, and whatever it writes is taken back
    before the next one: they are the same rows each time. What they may do is asked anew in each request.
    """
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.ERROR)  # a refusal is written down with its traceback, which takes longer than refusing
    read_session, read_person = SessionStore.load, ModelBackend.get_user
    sessions: dict[str, dict[str, Any]] = {}
    people: dict[int, Any] = {}

    def session(store: Any) -> dict[str, Any]:
        key = store.session_key
        if key not in sessions:
            found = read_session(store)
            if not found:
                return found
            sessions[key] = found
        return copy.deepcopy(sessions[key])

    def person(backend: Any, number: int) -> Any:
        if number not in people:
            people[number] = read_person(backend, number)
        return copy.copy(people[number])

    with (
        mock.patch.object(SessionStore, "load", session),
        mock.patch.object(ModelBackend, "get_user", person),
        mock.patch.object(StaticFilesStorage, "url", cache(StaticFilesStorage.url)),  # ten on each page
    ):
        yield
    log.setLevel(level)
