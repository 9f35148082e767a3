"""Names into ids: created once, capped per hour, noted as seen."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from ingestion import services
from ingestion.models import OVERFLOW, ErrorType, GatewayUser, IngestBatch, LLMModel, LLMRequest, VirtualModel
from teams.models import Organization, Team, VirtualAccount
from tests import make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def cap(settings: Settings) -> int:
    """At most three new names per organization, dimension and hour."""
    settings.INGEST_NEW_VALUES_PER_HOUR = 3
    return 3


def test_names_are_created_once_and_kept_apart_by_organization(acme: Organization, rival: Organization) -> None:
    for organization in (acme, acme, rival):
        make.request(
            organization, user="u", virtual_account="a", team="t", virtual_model="v", status_code=500, error_type="E"
        )
    for model in (LLMModel, VirtualModel, GatewayUser, ErrorType, Team, VirtualAccount):
        owners = model._default_manager.order_by("organization").values_list("organization", flat=True)
        assert list(owners) == sorted([acme.pk, rival.pk]), model


def test_a_model_of_two_providers_is_two_models(acme: Organization) -> None:
    for provider in ("openai", "azure", None):
        make.request(acme, provider=provider, model="gpt-4o")
    assert sorted(LLMModel.objects.values_list("provider", "name")) == [
        ("", "gpt-4o"),
        ("azure", "gpt-4o"),
        ("openai", "gpt-4o"),
    ]


def test_teams_seen_in_traffic_are_unclaimed(acme: Organization, search: Team) -> None:
    make.request(acme, team="Search")
    make.request(acme, team="New")
    assert dict(Team.objects.values_list("name", "claimed")) == {"Search": True, "New": False}


def test_new_names_beyond_the_cap_share_one_row(acme: Organization, rival: Organization, cap: int) -> None:
    records = [make.record(user=f"user-{number}", metadata={"tenant": f"t{number}"}) for number in range(5)]
    outcome = services.ingest_records(organization=acme, records=records, source="test", now=make.NOW, past_days=35)
    assert (outcome.accepted, outcome.capped) == (5, 4)
    stored = LLMRequest.objects.order_by("request_id").values_list("user__name", "metadata__tenant")
    assert sorted(stored) == [(OVERFLOW, OVERFLOW)] * 2 + [(f"user-{n}", f"t{n}") for n in range(3)]
    assert IngestBatch.objects.get().capped == 4
    assert str(make.request(rival, user="user-9").user) == "user-9"
    # A known name is never capped, and the next hour has room again.
    assert str(make.request(acme, user="user-0").user) == "user-0"
    assert str(make.request(acme, user="user-9").user) == OVERFLOW
    later = make.request(acme, user="user-9", now=make.NOW + HOUR, started_at=make.NOW)
    assert str(later.user) == "user-9"


def test_every_dimension_is_capped(acme: Organization, cap: int) -> None:
    for number in range(5):
        make.request(
            acme, model=f"m{number}", virtual_model=f"v{number}", virtual_account=f"a{number}", team=f"t{number}",
            status_code=500, error_type=f"e{number}",
        )  # fmt: skip
    last = LLMRequest.objects.select_related("model", "virtual_model", "virtual_account", "team").latest("id")
    names = (last.model, last.virtual_model, last.virtual_account, last.team, last.error_type)
    assert [str(name) for name in names] == [OVERFLOW] * 5
    for model in (LLMModel, VirtualModel, VirtualAccount, Team, ErrorType):
        assert model._default_manager.count() == cap + 1, model


def test_last_seen_moves_at_most_once_an_hour(acme: Organization) -> None:
    def seen_at(now_: object) -> object:
        return GatewayUser.objects.get().last_seen

    for passed, expected in ((0, 0), (30, 0), (60, 0), (61, 61)):
        now = make.NOW + timedelta(minutes=passed)
        make.request(acme, user="u", now=now)
        assert seen_at(now) == make.NOW + timedelta(minutes=expected)


def test_an_address_labels_a_caller_once(acme: Organization) -> None:
    make.request(acme, user="u")
    make.request(acme, user="u", user_email="u@acme.example")
    make.request(acme, user="u", user_email="other@acme.example")
    assert GatewayUser.objects.get().email == "u@acme.example"


def test_a_batch_asks_once_per_dimension(acme: Organization) -> None:
    def ingest(count: int) -> int:
        records = [make.record(user=f"u{number % 7}", metadata={"env": "prod"}) for number in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            services.ingest_records(organization=acme, records=records, source="test", now=make.NOW, past_days=35)
        return len(queries)

    ingest(10)
    assert ingest(10) == ingest(400)
