"""Facts with the ids of their metadata, as the rollup reads them: each its own, in the order of storage."""

import random
from typing import Any

import pytest
from django.db import connection

from analytics.catalog.columns import NULL
from analytics.cells.frame import metadata_axis, read_numbered
from analytics.rollups.hours import _ids_of
from ingestion.models import LLMRequest, MetadataKey, MetadataValue
from teams.models import Organization
from tests import make

pytestmark = pytest.mark.django_db
VALUES = ("first", "second", "", "it's 100 %", "Ü\N{SNOWMAN}", "x" * 200)


def stored(organization: Organization, count: int) -> list[MetadataKey]:
    dice = random.Random(4)
    for number in range(count):
        metadata = {name: dice.choice(VALUES) for name in ("tenant", "stage") if dice.random() < 0.7}
        make.request(organization, input_tokens=number, metadata=metadata)
    return [*MetadataKey.objects.filter(organization=organization, name__in=("tenant", "stage"))]


def numbered(organization: Organization, keys: list[MetadataKey]) -> dict[int, dict[str, str | None]]:
    """Names of the values that were found, by the number of the fact, in the order of the answer."""
    frame = read_numbered(LLMRequest.objects.filter(organization=organization), keys, _ids_of)
    names: dict[int, str | None] = {NULL: None} | dict(MetadataValue.objects.values_list("pk", "name"))
    columns = {key.name: [names[pk] for pk in frame[metadata_axis(key.pk)].tolist()] for key in keys}
    facts = frame["input_tokens"].tolist()
    return {fact: {name: column[place] for name, column in columns.items()} for place, fact in enumerate(facts)}


def truth(organization: Organization) -> dict[int, dict[str, str | None]]:
    rows = LLMRequest.objects.filter(organization=organization).order_by("pk").values_list("input_tokens", "metadata")
    return {fact or 0: {name: metadata.get(name) for name in ("tenant", "stage")} for fact, metadata in rows}


def test_every_fact_has_the_value_that_it_was_sent_with(acme: Organization) -> None:
    keys = stored(acme, 40)
    assert len(keys) == 2
    MetadataValue.objects.all().delete()  # as if the rollup came first
    assert list(numbered(acme, keys).items()) == list(truth(acme).items())
    known = MetadataValue.objects.count()
    assert known > 8
    make.request(acme, input_tokens=999, metadata={"tenant": "new", "stage": "first"})
    assert list(numbered(acme, keys).items()) == list(truth(acme).items())
    assert MetadataValue.objects.count() == known + 1


def test_the_order_is_that_of_storage_whatever_was_rewritten(acme: Organization) -> None:
    keys = stored(acme, 12)
    LLMRequest.objects.filter(input_tokens__in=(0, 1, 5)).update(cost=7)  # PostgreSQL keeps them behind the others now
    assert list(numbered(acme, keys)) == list(range(12))


def test_another_organization_s_values_are_not_taken(acme: Organization) -> None:
    other = make.organization("other")
    stored(other, 20)
    theirs = stored(other, 1)
    numbered(other, theirs)
    keys = stored(acme, 20)
    numbered(acme, keys)
    frame = read_numbered(LLMRequest.objects.filter(organization=acme), keys, _ids_of)
    own = {NULL, *MetadataValue.objects.filter(organization=acme).values_list("pk", flat=True)}
    assert own >= {pk for key in keys for pk in frame[metadata_axis(key.pk)].tolist()}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite looks every text up in Python")
def test_only_values_not_seen_before_are_looked_up(acme: Organization) -> None:
    keys = stored(acme, 30)
    numbered(acme, keys)
    make.request(acme, input_tokens=999, metadata={"tenant": "new"})
    MetadataValue.objects.filter(name="new").delete()
    asked: list[Any] = []

    def ids_of(key: MetadataKey, texts: set[str]) -> dict[str, int]:
        asked.append((key.name, texts))
        return _ids_of(key, texts)

    read_numbered(LLMRequest.objects.filter(organization=acme), keys, ids_of)
    assert asked == [("tenant", {"new"})]
