"""The connection tells every transaction the border of what runs in it, and nothing outlives the transaction."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.query.snapshot import snapshot
from ingestion.models import ChangedHour
from ingestion.writer.bulk import bulk_insert, read_rows
from metricsportal.lib import border
from teams.models import Organization, Team
from tests import make

COLUMNS = ("organization_id", "hour_start", "appended_at")
Tenants = tuple[Organization, Organization]


@pytest.fixture
def tenants(behind: BaseDatabaseWrapper, relied_on: None) -> Tenants:
    return make.organization("acme"), make.organization("rival")


def seen() -> list[str]:
    return sorted(Organization.objects.values_list("slug", flat=True))


def told() -> tuple[str | None, str | None]:
    """What the session has, asked past the engine."""
    raw = connection.connection
    answer: tuple[str | None, str | None] = raw.execute(
        "SELECT nullif(current_setting('portal.organizations', true), ''), "
        "nullif(current_setting('portal.everything', true), '')"
    ).fetchone()
    return answer


def test_each_statement_sees_the_border_of_its_moment_and_leaves_none(tenants: Tenants) -> None:
    acme, rival = tenants
    with border.within(acme.pk):
        assert seen() == ["acme"]  # outside of every transaction
        assert told() == (None, None)
        with transaction.atomic():
            assert seen() == ["acme"]
            assert told() == (f"{{{acme.pk}}}", "off")
            with border.within(rival.pk):
                assert seen() == ["rival"]
            assert seen() == ["acme"]
        assert told() == (None, None)
        assert [one.slug for one in Organization.objects.iterator(chunk_size=1)] == ["acme"]  # a cursor on the server
    with border.request():
        assert seen() == []
        with transaction.atomic():
            assert seen() == []


def test_a_rolled_back_part_of_a_transaction_takes_no_border_along(tenants: Tenants) -> None:
    acme, rival = tenants
    with transaction.atomic(), border.within(acme.pk):
        assert seen() == ["acme"]
        with border.within(rival.pk), transaction.atomic():
            assert seen() == ["rival"]
            transaction.set_rollback(True)
        assert seen() == ["acme"]
        with border.within(rival.pk), transaction.atomic():
            assert seen() == ["rival"]
        assert seen() == ["acme"]
    # After an error the next transaction starts with nothing, too.
    with border.within(acme.pk), pytest.raises(ProgrammingError, match="row-level security"):
        Team.objects.create(organization=rival, name="smuggled")
    assert told() == (None, None)
    with border.within(acme.pk), pytest.raises(ProgrammingError), transaction.atomic():
        connection.cursor().execute("SELECT nowhere")
    assert told() == (None, None)
    with border.request():
        assert seen() == []


def test_what_the_driver_is_asked_directly_sees_the_same(tenants: Tenants) -> None:
    acme, rival = tenants
    names = Organization.objects.values_list("slug")
    with border.within(acme.pk):
        assert read_rows(names) == [("acme",)]
        with snapshot():  # REPEATABLE READ is chosen after the border was told
            assert read_rows(names) == [("acme",)]
            assert connection.connection.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
        with transaction.atomic():
            assert bulk_insert(ChangedHour, COLUMNS, [(acme.pk, make.NOW, make.NOW)]) == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            bulk_insert(ChangedHour, COLUMNS, [(rival.pk, make.NOW, make.NOW)])
    assert list(ChangedHour.objects.values_list("organization_id", flat=True)) == [acme.pk]
