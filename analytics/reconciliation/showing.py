"""What the pages of bills need, in one call each."""

from typing import Any, Final

from analytics.models import ProviderBill
from analytics.reconciliation import acts, ours, presentation
from analytics.reconciliation.comparing import BASES, Comparison, compare
from analytics.reconciliation.reasons import reasons
from metricsportal.lib.formats import exact
from teams.access import Scope

BASIS_NAMES: Final = {"contracted": "Contracted cost", "list": "List cost", "billed": "Charged cost"}


def compared(scope: Scope, bill: ProviderBill, basis: str) -> Comparison:
    """A bill against the figures of now. An unknown basis is the first one."""
    mine = ours.read(scope, bill.first_day, bill.last_day)
    basis = basis if basis in BASES else BASES[0]
    return compare(acts.figures_of(bill), mine, provider=bill.provider, basis=basis)


def page(scope: Scope, bill: ProviderBill, basis: str) -> dict[str, Any]:
    """What the page of a bill shows."""
    found = compared(scope, bill, basis)
    return {
        "sections": presentation.sections(found),
        "reasons": presentation.shown_reasons(reasons(found, bill.remarks.get("decimals", 12))),
        "basis": found.basis,
        "bases": [(name, BASIS_NAMES[name]) for name in BASES],
        "format": acts.label(bill.format),
        "ignored": bill.remarks.get("ignored", []),
        "rounded": bill.remarks.get("rounded", 0) and exact(bill.remarks["rounded"]),
    }


def listed(scope: Scope) -> list[dict[str, Any]]:
    """The list of bills, newest first."""
    rows = acts.visible(scope).defer("figures").select_related("uploaded_by")
    return [{"bill": row, "format": acts.label(row.format)} for row in rows]
