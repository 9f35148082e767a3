"""Keeping and deleting bills: one transaction and one audit entry each."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import PurePath
from typing import Any, BinaryIO, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction

from analytics.models import ProviderBill
from analytics.reconciliation.formats import BY_NAME, Format
from analytics.reconciliation.generic import LABEL, NAME, Columns, format_of
from analytics.reconciliation.reading import Bill, read
from analytics.reconciliation.values import BillError, Figure
from teams.access import Scope
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit

AUTO: Final = "auto"
CHOICES: Final = ((AUTO, "Recognised by its columns"), *((one.name, one.label) for one in BY_NAME.values()))
MOST: Final = 1_000
"""Bills of one organization."""
BY_DEFAULT: Final = "default"
"""Compared with requests of the provider that the format belongs to."""


def chosen_format(name: str, typed: dict[str, str]) -> Format | None:
    """The format of a form; None: by its columns. Raises BillError."""
    if name == NAME:
        return format_of(Columns.of(typed))
    if name == AUTO:
        return None
    if name not in BY_NAME:
        raise BillError("There is no such format.")
    return BY_NAME[name]


def label(name: str) -> str:
    """A format for people."""
    return BY_NAME[name].label if name in BY_NAME else LABEL.partition(":")[0]


def visible(scope: Scope) -> Any:  # noqa: ANN401 - a queryset, which views do not name
    """Bills that a scope may see. Raises PermissionDenied."""
    if not scope.allows(Capability.MANAGE_CHARGEBACK):
        raise PermissionDenied
    return ProviderBill.objects.filter(organization=scope.organization_id)


def keep(
    *,
    actor: User,
    organization: Organization,
    file: BinaryIO,
    name: str,
    wanted: Format | None,
    provider: str,
    now: datetime,
) -> ProviderBill:
    """Read a file and keep what it says. Raises BillError, and then keeps nothing."""
    bill = read(file, wanted)
    chosen = bill.format.provider if provider == BY_DEFAULT else provider[:64]
    with transaction.atomic():
        locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if ProviderBill.objects.filter(organization=locked).count() >= MOST:
            raise BillError(f"There are {MOST:,} bills already; delete some first.")
        made = ProviderBill.objects.create(
            organization=locked,
            format=bill.format.name,
            provider=chosen,
            name=_file_name(name),
            digest=bill.digest,
            first_day=bill.first,
            last_day=bill.last,
            lines=bill.lines,
            figures=[_stored(one) for one in bill.figures],
            remarks=_remarks(bill),
            uploaded_at=now,
            uploaded_by=actor,
        )
        _record(made, actor, "upload")
    return made


def delete(*, actor: User, bill: ProviderBill) -> None:
    """Remove a bill."""
    with transaction.atomic():
        _record(bill, actor, "delete")
        bill.delete()


def figures_of(bill: ProviderBill) -> list[Figure]:
    """As they were read."""
    return [Figure(date.fromisoformat(day), *rest) for day, *rest in bill.figures]


def _stored(one: Figure) -> list[Any]:
    return [one.day.isoformat(), *one[1:]]


def _file_name(name: str) -> str:
    shown = "".join(character for character in PurePath(name).name if character.isprintable())
    return shown[:200] or "file.csv"


def _remarks(bill: Bill) -> dict[str, Any]:
    return {"ignored": _short(bill.ignored), "rounded": bill.rounded, "decimals": bill.decimals}


def _short(names: Iterable[str]) -> list[str]:
    return [name[:100] for name in names][:100]


def _record(bill: ProviderBill, actor: User, verb: str) -> None:
    audit.record(
        organization=bill.organization,
        actor=actor,
        action=f"bill.{verb}",
        target=bill.name,
        format=bill.format,
        first_day=str(bill.first_day),
        last_day=str(bill.last_day),
        sha256=bill.digest,
    )
