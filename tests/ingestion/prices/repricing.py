"""What the tests of repricing share: organizations, ranges, runs from begin to end, and what facts hold."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from ingestion.models import LLMRequest, PriceEntry, RepriceRun
from ingestion.records import TOKEN_FIELDS
from ingestion.repricing import runs, work
from ingestion.repricing.selection import Selection, select
from ingestion.repricing.tally import Tally, tally_of
from teams.models import Organization, User
from tests import make

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
COSTS: Final = ("cost_state", "cost", "list_cost", "contracted_cost")
FIXED: Final = ("started_at", "hour_start", "received_at", "payload_hash", "reported_cost", *TOKEN_FIELDS)


def everything(organization: Organization, **names: str) -> Selection:
    """All requests of 2026."""
    return select(organization, first=FIRST, last=LAST, **names)


def preview(selection: Selection) -> Tally:
    return runs.preview(selection, lambda done, expected: None)


def apply(selection: Selection, *, actor: User | None = None, reason: str = "wrong price") -> Tally:
    """Change the stored costs to the end of the selection; what was counted on the way."""
    run, _ = runs.begin(selection=selection, reason=reason, actor=actor)
    return finish(run)


def finish(run: RepriceRun) -> Tally:
    work.carry_out(run.pk, clock=timezone.now, chunks=10_000)
    run.refresh_from_db()
    assert run.state == runs.State.APPLIED, run.trouble
    return tally_of(run.result)


def correct(model: str, token_class: str, usd: str | None, **fields: Any) -> PriceEntry:
    """An entry of the price book that says what it corrects, where its line has a price of that instant already."""
    line = {"model_match": model, "token_class": token_class, **fields}
    held = PriceEntry.objects.filter(**line).order_by("id").last()
    return make.price(model, token_class, usd, corrects=held, **fields)


def costs(organization: Organization) -> dict[str, tuple[Any, ...]]:
    """State, cost and list cost of every request by its id."""
    facts = LLMRequest.objects.filter(organization=organization)
    return {request_id: tuple(values) for request_id, *values in facts.values_list("request_id", *COSTS)}


def fixed(organization: Organization) -> list[Any]:
    """What repricing never touches."""
    return list(LLMRequest.objects.filter(organization=organization).order_by("pk").values_list("pk", *FIXED))


def pico(usd: str) -> int:
    return int(Decimal(usd) * 10**12)


def at(month: int, day: int = 15, hour: int = 12) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=timezone.get_fixed_timezone(0))
