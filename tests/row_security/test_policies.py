"""What the database itself refuses, table by table, to the role of the portal."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connection, models, transaction
from django.test.utils import isolate_apps

from ingestion.models import LLMModel, ModelAlias
from metricsportal.lib.border import EVERYTHING, NOTHING, Border
from metricsportal.row_security import policies
from metricsportal.row_security.policies import WITHOUT, tables
from teams.models import Organization, Team, TeamMembership
from tests import make
from tests.row_security.conftest import Become
from tests.row_security.rows import fill
from tests.row_security.rows import models as covered


def only(organization: Organization) -> Border:
    return Border(frozenset({organization.pk}))


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(ProgrammingError, match="violates row-level security policy"), transaction.atomic():
        yield


def test_every_model_has_a_policy_or_a_reason() -> None:
    ours = {table.label for table in tables()}
    every = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert ours | WITHOUT.keys() == every
    assert not ours & WITHOUT.keys()
    assert {"ingestion.LLMRequest", "analytics.HourAggregate", "teams.ApiKey", "analytics.OutboxMail"} <= ours


@isolate_apps("teams")
def test_a_new_model_that_belongs_to_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgotten(models.Model):  # noqa: DJ008 - never seen
        class Meta:
            app_label = "teams"

    known = policies._models()
    monkeypatch.setattr(policies, "_models", lambda: [*known, Forgotten])
    with pytest.raises(ImproperlyConfigured, match=r"No organization leads to teams\.Forgotten"):
        tables()


def test_of_every_table_each_sees_its_own_rows_and_none_of_the_others(
    acme: Organization, rival: Organization, become: Become
) -> None:
    mine, theirs = fill(acme), fill(rival)
    for seen, rows, others in ((only(acme), mine, theirs), (only(rival), theirs, mine)):
        become(seen)
        for model in covered():
            found = {*model._default_manager.values_list("pk", flat=True)}
            assert rows[model].pk in found, model
            assert others[model].pk not in found, model


@pytest.mark.parametrize("seen", [None, NOTHING])
def test_without_a_border_nobody_sees_anything(acme: Organization, become: Become, seen: Border | None) -> None:
    fill(acme)
    make.price("shared", "input", "1")  # of the book that all organizations share
    become(seen or NOTHING)
    if seen is None:
        with connection.cursor() as cursor:
            cursor.execute("RESET portal.organizations; RESET portal.everything")
    assert {model: model._default_manager.count() for model in covered()} == dict.fromkeys(covered(), 0)


def test_the_portals_own_work_sees_everything(acme: Organization, rival: Organization, become: Become) -> None:
    fill(acme)
    fill(rival)
    become(EVERYTHING)
    assert {model for model in covered() if model._default_manager.count() < 2} == set()


def test_no_row_is_written_for_another_organization(acme: Organization, rival: Organization, become: Become) -> None:
    mine, theirs = fill(acme), fill(rival)
    become(only(acme))
    with refused():
        LLMModel.objects.create(organization=rival, name="smuggled")
    with refused():
        LLMModel.objects.filter(pk=mine[LLMModel].pk).update(organization=rival)
    with refused():  # through a parent as well
        TeamMembership.objects.create(team_id=theirs[Team].pk, user=make.user(), role="viewer")
    assert LLMModel.objects.filter(pk=theirs[LLMModel].pk).update(name="taken") == 0
    assert Team.objects.filter(pk=theirs[Team].pk)._raw_delete("default") == 0
    become(EVERYTHING)
    assert LLMModel.objects.get(pk=theirs[LLMModel].pk).name != "taken"
    assert Team.objects.filter(pk=theirs[Team].pk).exists()


def test_what_all_share_is_read_by_all_and_written_by_none(acme: Organization, become: Become) -> None:
    shared = ModelAlias.objects.create(model_match="shared", model="gpt-5")
    become(only(acme))
    assert list(ModelAlias.objects.all()) == [shared]
    with refused():
        ModelAlias.objects.create(model_match="smuggled", model="gpt-5")
    assert ModelAlias.objects.filter(pk=shared.pk)._raw_delete("default") == 0


def test_force_holds_for_the_owner_of_a_table(acme: Organization, rival: Organization, become: Become) -> None:
    fill(rival)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE ROLE portal_owner NOLOGIN; GRANT USAGE, CREATE ON SCHEMA public TO portal_owner")
        cursor.execute("ALTER TABLE ingestion_llmmodel OWNER TO portal_owner; SET LOCAL ROLE portal_owner")
        cursor.execute("SET LOCAL portal.everything = 'off'; SET LOCAL portal.organizations = '{}'")
        cursor.execute("SELECT count(*) FROM ingestion_llmmodel")
        assert cursor.fetchone() == (0,)
        cursor.execute("ALTER TABLE ingestion_llmmodel NO FORCE ROW LEVEL SECURITY")
        cursor.execute("SELECT count(*) FROM ingestion_llmmodel")
        assert cursor.fetchone() == (1,)
