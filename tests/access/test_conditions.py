"""F11, generated: no condition on the organization is lost unseen, at any line that an owner passes, writing too."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from unittest import mock

import pytest
from django.apps import apps
from django.conf import settings

from ingestion.models import PriceEntry
from tests.access import places
from tests.access.conditions import conditions
from tests.access.sight import READS, Sight
from tests.access.visitors import Visitors
from tests.access.writing import Passed

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@dataclass(frozen=True)
class Held:
    """Why the loss of a condition alone changes no answer: what else holds, and where it shows when both are gone."""

    why: str
    by: frozenset[str] = frozenset()
    also: str = ""
    broken: str = ""
    shows: tuple[Passed, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A question that shows a loss, and whose."""

    at: Passed
    who: tuple[str, ...] = READS


def read(address: str, query: str = "", *, who: tuple[str, ...] = READS) -> Shown:
    return Shown(Passed("GET", address, query), who)


# The condition, and the question that shows it: these are asked in the ordinary run too.
SAMPLE: Final[dict[str, Shown]] = {
    "teams/access.py scope_of_user Membership": read("o/<slug:slug>/overview/", who=("outsider",)),
    "analytics/annotations/reading.py visible Annotation": read("api/v1/annotations"),
    "analytics/chargeback/adjustments.py said_of Statement": read("o/<slug:slug>/statements/months/<str:month>/"),
    "analytics/chargeback/months.py months_of_traffic LLMRequest": read("o/<slug:slug>/statements/"),
    "analytics/chargeback/adjustments.py _stated Statement": read(places.ALSO[0]),
    "analytics/chargeback/drafting.py _previous Statement": read(places.ALSO[0]),
    "analytics/defaults.py default_view DefaultView": read("o/<slug:slug>/"),
    # Where the figures come from: facts in place of rollups.
    "analytics/query/segments.py pending_hours ChangedHour": read(
        "api/v1/metrics/query", places.ASKED["api/v1/metrics/query"][0]
    ),
    "ingestion/keeping.py keeping Watermark": read("o/<slug:slug>/ingestion/"),
    "ingestion/watermarks.py kept Watermark": read("o/<slug:slug>/overview/", "month=2026-10"),
}
# Conditions whose loss changes no answer, and why: what comes in is not what is answered.
HARMLESS: Final[dict[str, str]] = {
    **{
        f"analytics/query/conditions.py matching_rows {model}": "ids, looked for in rows of one's own"
        for model in ("GatewayUser", "LLMModel", "Team", "VirtualAccount", "VirtualModel")
    },
    "analytics/chargeback/review.py _recipients ReportRecipient": "by team, looked up by one's own teams",
    "analytics/chargeback/sharing/making.py _corrections Team": "teams of one's own shares, looked for",
    "analytics/defaults.py forget DefaultView": "of a view, which belongs to one organization",
    "analytics/defaults.py chosen DefaultView": "of views that are one's own",
    "analytics/defaults.py may_open_with_view DefaultView": "says whether a view is looked for; the look asks again",
    "analytics/query/planner.py _kept_between HourAggregate": "says how dear a question is, not what is answered",
    "analytics/query/planner.py _sizes DayAggregate": "chooses among grains that all say the same",
    "analytics/query/segments.py _pending_days ChangedDay": "such days are read from their hours, which say the same",
    "ingestion/pricing/history.py contexts Q": "sums are cut finer, and added up again",
    "ingestion/pricing/history.py instants Q": "sums are cut finer, and added up again",
    "ingestion/repricing/report.py report LLMModel": "names, looked up by the ids of one's own run",
    "ingestion/repricing/report.py report Team": "names, looked up by the ids of one's own run",
    "teams/access.py manages TeamMembership": "in a team, which belongs to one organization",
    "teams/services/people.py _locked Membership": "owners who are locked, and not read",
}
# Conditions that no owner's question shows, with the test that does: each was taken away by hand to see it red.
ELSEWHERE: Final[dict[str, str]] = {
    "ingestion/dimensions.py Interner._create LLMModel": (
        "tests/ingestion/test_dimensions.py::test_new_names_beyond_the_cap_share_one_row"
    ),
    "ingestion/pricing/loading.py _rows Q": "tests/ingestion/test_book.py::test_own_entries_beat_those_of_everybody",
    "ingestion/writer/sqlite.py stored_hashes LLMRequest": (
        "tests/ingestion/test_identity.py::test_another_organization_has_ids_of_its_own"
    ),
    "teams/access.py may Membership": "tests/teams/services/test_invitations.py::test_who_may_not_invite",
    "teams/services/people.py _keep_an_owner Membership": (
        "tests/teams/services/test_people.py::test_an_organization_keeps_an_owner"
    ),
    "teams/services/providers.py set_sso_only IdentityProvider": (
        "tests/teams/sso/test_ways_in.py::test_it_is_the_only_way_into_its_own_organization"
    ),
}
_ROWS: Final = frozenset(f"analytics/query/stored.py rows_of {level}Aggregate" for level in ("Day", "Hour"))
_REPORT: Final = Passed("GET", "api/v1/report", places.ASKED["api/v1/report"][0])
_RUNNING: Final = Passed("GET", places.ALSO[0], "")
_STATEMENT: Final = "o/<slug:slug>/statements/<slug:number>/"
# Conditions that another one holds.
HELD: Final[dict[str, Held]] = {
    **{
        f"analytics/query/labels.py _names {model}": Held("the ids are of rows of its own", _ROWS, shows=(_REPORT,))
        for model in ("ErrorType", "GatewayUser", "LLMModel", "Team", "VirtualAccount", "VirtualModel")
    },
    "ingestion/provisioning/preview.py movable LLMRequest": Held(
        "the name that moves is one of its own",
        also="_id",
        shows=(Passed("GET", "o/<slug:slug>/settings/callers/<int:number>/merge", "into=Quokka+caller"),),
    ),
    "analytics/chargeback/drafting.py _accounts Team": Held(
        "the teams are of corrections of its own",
        frozenset({"analytics/chargeback/adjustments.py _stated Statement"}),
        shows=(_RUNNING,),
    ),
    "analytics/chargeback/insight.py _earlier Statement": Held(
        "a team belongs to one organization", also="team", shows=(Passed("GET", _STATEMENT, ""),)
    ),
    "analytics/exports/focus/statement.py _period Statement": Held(
        "the statement was found before",
        frozenset(f"analytics/chargeback/reading.py {name} Statement" for name in ("find", "_seen")),
        shows=(Passed("GET", f"{_STATEMENT}focus", "", "foreign"),),
    ),
    "analytics/exports/jobs/acts.py own ExportJob": Held(
        "a job is for who sees all of it",
        broken="analytics.exports.jobs.rights.may_have",
        shows=(Passed("GET", "api/v1/exports", ""),),
    ),
}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_lost_condition_is_seen(visitors: Visitors, name: str) -> None:
    shown = SAMPLE[name]
    assert Sight(visitors).sees(partial(conditions, without=frozenset({name})), [shown.at], shown.who)


@pytest.mark.slow
def test_no_condition_is_lost_unseen(visitors: Visitors) -> None:
    sight = Sight(visitors)
    found = sight.places()
    assert len(found) > 100
    unseen = {
        place.name: where[:3]
        for place, where in found.items()
        if place.name not in SAMPLE and not sight.sees(partial(conditions, without=frozenset({place.name})), where)
    }
    explained = HELD.keys() | HARMLESS.keys() | ELSEWHERE.keys()
    assert {name: where for name, where in unseen.items() if name not in explained} == {}
    assert sorted(explained - unseen.keys()) == [], "what is seen needs no explanation"


@pytest.mark.slow
@pytest.mark.parametrize("name", HELD)
def test_where_another_line_holds_it_is_missed_with_it(visitors: Visitors, name: str) -> None:
    held = HELD[name]

    @contextmanager
    def both() -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(conditions(without=held.by | {name}, also=held.also))
            if held.broken:
                stack.enter_context(mock.patch(held.broken, return_value=True))
            yield

    assert Sight(visitors).sees(both, held.shows), held.why


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_nothing_had_something_to_change(visitors: Visitors, name: str) -> None:
    """The other organization has rows that come in where the condition is gone."""
    models = {model.__name__: model for model in apps.get_models()}
    model = models.get(name.split()[2], PriceEntry)
    own = "organization" if hasattr(model, "organization") else "team__organization"
    assert model._default_manager.filter(**{own: visitors.world.rival}).exists()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_seen_elsewhere_is_looked_at_there(name: str) -> None:
    path, _, test = ELSEWHERE[name].partition("::")
    assert f"def {test}(" in Path(settings.BASE_DIR, path).read_text()
