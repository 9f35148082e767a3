"""Verification finds whatever is wrong in an aggregate, and says nothing where nothing is."""

from collections.abc import Callable, Iterator

import pytest
from django.db.models import F
from pytest_django import DjangoDbBlocker

from analytics import rollups
from analytics.catalog.grains import REQUESTS
from analytics.cells import frame
from analytics.cells.packing import Packed, column, pack
from analytics.models import DayAggregate, HourAggregate
from ingestion.models import MetadataKey
from teams.models import Organization
from tests import kept, make
from tests.analytics.tampering import double, faster, no_samples, other, plus, tamper
from tests.analytics.test_rollups import ingest
from tests.make import NOW

Corruption = Callable[[], object]


@pytest.fixture(scope="module")
def _rolled_up(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[int]:
    with kept.for_the_module(request, django_db_blocker):
        with django_db_blocker.unblock():
            made = make.organization()
            ingest(made, 25, hours=4)  # each hour is compared by itself
            rollups.drain()
        yield made.pk


@pytest.fixture
def organization(_rolled_up: int, db: None) -> Organization:
    """Some requests, all of them rolled up; made once."""
    return Organization.objects.get(pk=_rolled_up)


def _corruptions() -> list[Corruption]:
    """Twenty ways in which a stored cell can be wrong; each touches one cell or one row of one table."""
    hours = HourAggregate.objects.filter(grain="user").order_by("pk")
    days = DayAggregate.objects.filter(grain="account").order_by("pk")
    failures = HourAggregate.objects.filter(grain="failures").order_by("pk")
    parts = HourAggregate.objects.filter(grain="team").order_by("pk")

    return [
        lambda: hours.filter(pk=hours[0].pk).delete(),
        lambda: days.filter(pk=days[0].pk).delete(),
        lambda: failures.filter(pk=failures[0].pk).delete(),
        lambda: tamper(hours[0], double),
        lambda: tamper(days[0], double),
        lambda: tamper(hours[0], plus("cost")),
        lambda: tamper(days[0], plus("list_cost")),
        lambda: tamper(hours[0], plus("requests")),
        lambda: tamper(days[0], plus("failed")),
        lambda: tamper(hours[0], other("team_id")),
        lambda: tamper(days[0], other("model_id")),
        lambda: tamper(hours[0], plus("input_tokens", -1)),
        lambda: tamper(parts[0], plus("output_tokens", 10**20)),
        lambda: tamper(hours[0], no_samples),
        lambda: tamper(days[0], plus("latency_ok_sum")),
        lambda: tamper(hours[0], faster),
        lambda: tamper(failures[0], other("status_code")),
        lambda: tamper(failures[0], plus("failed_429", 7)),
        lambda: days.filter(pk=days[0].pk).update(cells=F("cells") + 1),
        lambda: hours.filter(pk=hours[0].pk).update(grain="nobody-knows"),
    ]


def test_nothing_is_found_where_nothing_is_wrong(organization: Organization) -> None:
    assert rollups.verify(organization, NOW).differences == ()


@pytest.mark.parametrize("number", range(20))
def test_each_corruption_is_found(organization: Organization, number: int) -> None:
    _corruptions()[number]()
    assert rollups.verify(organization, NOW).differences


def test_a_wrong_number_among_the_requests_that_were_kept_is_found(organization: Organization) -> None:
    row = HourAggregate.objects.filter(grain=REQUESTS).order_by("pk")[0]
    packed = Packed(bytes(row.head))
    keys = MetadataKey.objects.filter(organization=organization, registered=True)
    names = {*frame.AXES, *frame.MEASURED, *(frame.metadata_axis(key.pk) for key in keys)}
    columns = {name: column([packed], name) for name in names}
    assert {*columns} == names
    columns["input_tokens"] = columns["input_tokens"] + 1
    row.head = pack(columns, packed.size)
    row.save()
    (found,) = rollups.verify(organization, NOW).differences
    assert (found.level, found.bucket_start, found.grain, found.column) == (
        "hour",
        row.bucket_start,
        REQUESTS,
        "input_tokens",
    )
