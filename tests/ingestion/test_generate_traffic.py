"""`manage.py generate_traffic`: what it stores, what it creates beside it, and what it refuses."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ingestion.models import GatewayUser, LLMRequest, MetadataKey, PriceEntry
from ingestion.records import Attribution, CostState, RequestRecord
from ingestion.traffic import generate, plan
from ingestion.traffic.profile import TEAMS, USERS
from ingestion.traffic.targets import UNPRICED
from teams.models import Organization, ReportRecipient, Team, VirtualAccount
from tests import make

END = datetime(2026, 11, 24, 4, 37, tzinfo=UTC)


def command(**options: object) -> dict[str, object]:
    answer = io.StringIO()
    call_command("generate_traffic", json=True, end=END.isoformat(), stdout=answer, **options)
    return dict(json.loads(answer.getvalue()))


COUNTS = {"received": 1_500, "accepted": 1_500, "duplicate": 0, "conflict": 0, "rejected": 0}


def test_the_command_stores_priced_and_attributed_facts_once(acme: Organization) -> None:
    assert command(requests=1_500, days=5, organization="acme") == COUNTS
    again = command(requests=1_500, days=5, organization="acme")
    assert again == COUNTS | {"accepted": 0, "duplicate": 1_500}
    facts = LLMRequest.objects.filter(organization=acme)
    assert facts.count() == 1_500
    assert not facts.filter(token_anomaly=True).exists()
    assert set(facts.values_list("attribution", flat=True)) == set(map(str, Attribution))
    assert set(facts.filter(model__name=UNPRICED, failed=False).values_list("cost_state", flat=True)) <= {
        CostState.UNPRICED
    }
    assert facts.filter(cost_state=CostState.COMPUTED).count() > 1_300
    assert facts.filter(cost_state=CostState.UNPRICED).exclude(model__name=UNPRICED).count() == 0
    assert set(MetadataKey.objects.filter(registered=True).values_list("name", flat=True)) >= {"environment", "tenant"}


def test_the_command_makes_a_company_with_a_price_change(acme: Organization) -> None:
    command(requests=10, days=30, organization="acme")
    teams = Team.objects.filter(organization=acme)
    assert {team.name for team in teams if team.claimed} == set(TEAMS)
    addresses = ReportRecipient.objects.filter(team__organization=acme).values_list("email", flat=True)
    assert set(addresses) == {f"{name.lower().replace(' ', '-')}@example.com" for name in TEAMS}
    assert VirtualAccount.objects.filter(organization=acme, team__in=teams).count() == 20
    assert GatewayUser.objects.filter(organization=acme).count() == 60
    assert GatewayUser.objects.filter(organization=acme, team=None).count() == 2
    entries = PriceEntry.objects.filter(organization=acme, model_match="gpt-5-mini", token_class="input")
    standard = entries.filter(service_tier="standard").order_by("effective_from")
    assert [entry.price for entry in standard] == [Decimal("0.25"), Decimal("0.2")]
    first, second = (entry.effective_from for entry in standard)
    assert first < END - timedelta(days=30) < second < END


def test_a_book_with_prices_and_known_teams_stay_as_they_are(acme: Organization) -> None:
    PriceEntry.objects.create(model_match="gpt-5", token_class="input", price=1, effective_from=END)
    search = make.team(acme, "Search")
    command(requests=10, days=2, organization="acme")
    assert PriceEntry.objects.count() == 1
    assert not search.recipients.exists()


def test_people_are_introduced_on_request_only(acme: Organization) -> None:
    assert "people" not in command(requests=5, days=1, organization="acme")
    assert not acme.memberships.exists()
    people = command(requests=5, days=1, organization="acme", demo_people=True)["people"]
    assert isinstance(people, list)
    roles = {membership.user.email: membership.role for membership in acme.memberships.select_related("user")}
    assert roles == {
        "finance@example.com": "finance",
        "manager@example.com": "member",
        "viewer@example.com": "member",
        f"{USERS[0]}@example.com": "member",
    }
    assert {person["email"] for person in people} == set(roles)
    assert all(acme.memberships.get(user__email=one["email"]).user.check_password(one["password"]) for one in people)
    assert "people" not in command(requests=5, days=1, organization="acme", demo_people=True)


def test_a_file_holds_the_same_calls_and_needs_no_organization(tmp_path: Path) -> None:
    target = tmp_path / "traffic.ndjson"
    assert command(requests=200, days=2, seed=7, output=str(target)) == {"written": 200}
    lines = target.read_bytes().splitlines()
    expected = generate(plan(requests=200, days=2, end=END, zone=ZoneInfo("UTC"), seed=7))
    assert [msgspec.json.decode(line, type=RequestRecord) for line in lines] == list(expected)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"organization": "nowhere"}, "no organization 'nowhere'"),
        ({}, "several organizations"),
        ({"organization": "acme", "requests": 0}, "at least 1"),
        ({"output": "/proc/no/such/place"}, "Cannot write"),
    ],
)
def test_what_cannot_be_done_is_said(
    acme: Organization, rival: Organization, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        command(**({"requests": 5, "days": 1} | options))
    assert not LLMRequest.objects.exists()
