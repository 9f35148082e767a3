"""Metadata keys and the values of registered ones."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from ingestion import services
from ingestion.models import ChangedHour, LLMRequest, MetadataKey, MetadataValue
from teams.models import Organization
from tests import make

pytestmark = pytest.mark.django_db


def registered() -> dict[str, bool]:
    return dict(MetadataKey.objects.values_list("name", "registered"))


def values() -> list[tuple[str, str]]:
    return sorted(MetadataValue.objects.values_list("key__name", "name"))


def test_keys_register_themselves_while_there_are_places(acme: Organization, settings: Settings) -> None:
    settings.METADATA_KEYS_MAX = 2
    make.request(acme, metadata={"env": "prod", "app": "bot"})
    make.request(acme, metadata={"env": "dev", "zone": "eu"})
    assert registered() == {"env": True, "app": True, "zone": False}
    assert values() == [("app", "bot"), ("env", "dev"), ("env", "prod")]


def test_keys_that_name_single_requests_are_not_registered(acme: Organization) -> None:
    make.request(acme, metadata={"trace_id": "t-1", "env": "prod"})
    assert registered() == {"trace_id": False, "env": True}
    assert LLMRequest.objects.get().metadata == {"trace_id": "t-1", "env": "prod"}


def test_organizations_register_apart(acme: Organization, rival: Organization, settings: Settings) -> None:
    settings.METADATA_KEYS_MAX = 1
    make.request(acme, metadata={"env": "prod"})
    make.request(rival, metadata={"env": "prod"})
    owners = MetadataKey.objects.filter(registered=True).values_list("organization", flat=True)
    assert sorted(owners) == sorted([acme.pk, rival.pk])


def test_a_new_key_lets_every_hour_be_aggregated_again(acme: Organization, rival: Organization) -> None:
    hours = [make.NOW - timedelta(hours=number) for number in range(3)]
    for hour in (*hours, hours[0]):
        make.request(acme, started_at=hour)
    make.request(rival, started_at=hours[0])
    ChangedHour.objects.all().delete()
    make.request(acme, started_at=hours[0], metadata={"env": "prod"})
    logged = ChangedHour.objects.order_by("id").values_list("organization", "hour_start")
    # Once for all hours because of the key, once for the hour of the new fact.
    assert sorted(logged) == sorted([*((acme.pk, hour) for hour in hours), (acme.pk, hours[0])])


def test_registering_by_hand_finds_the_values_of_stored_facts(
    acme: Organization, rival: Organization, settings: Settings
) -> None:
    settings.METADATA_KEYS_MAX = 0
    for value in ("b", "b", "a", 'odd "quoted" ключ'):
        make.request(acme, metadata={"0": value, "other": "x"})
    make.request(rival, metadata={"0": "foreign"})
    assert values() == []
    ChangedHour.objects.all().delete()
    services.register(MetadataKey.objects.get(organization=acme, name="0"), make.NOW)
    assert values() == [("0", "a"), ("0", "b"), ("0", 'odd "quoted" ключ')]
    assert list(ChangedHour.objects.values_list("organization", "hour_start")) == [(acme.pk, make.NOW)]


def test_values_beyond_the_cap_are_replaced_in_the_fact(acme: Organization, settings: Settings) -> None:
    settings.INGEST_NEW_VALUES_PER_HOUR = 2
    for value in ("a", "b", "c"):
        make.request(acme, metadata={"env": value})
    assert list(LLMRequest.objects.order_by("id").values_list("metadata", flat=True)) == [
        {"env": "a"},
        {"env": "b"},
        {"env": "(other)"},
    ]
    assert values() == [("env", "(other)"), ("env", "a"), ("env", "b")]


def test_a_repeat_of_a_capped_record_is_a_duplicate(acme: Organization, settings: Settings) -> None:
    settings.INGEST_NEW_VALUES_PER_HOUR = 0
    record = make.record(metadata={"env": "x"}, user="u")
    outcomes = [
        services.ingest_records(organization=acme, records=[record], source="test", now=make.NOW, past_days=35)
        for _ in range(2)
    ]
    assert [(one.accepted, one.duplicate) for one in outcomes] == [(1, 0), (0, 1)]
