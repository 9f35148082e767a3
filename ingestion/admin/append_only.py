"""Rows of the price book's pages that are added and looked at: a later row replaces an earlier one."""

from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ingestion.models.prices import NEVER_DELETED
from teams.admin.scoped import ScopedAdmin
from teams.roles import Capability


class AppendOnlyAdmin(ScopedAdmin):
    """Added by whoever manages prices, never changed or deleted by anybody; asking for it is answered 403 and why."""

    capability = Capability.MANAGE_PRICES
    never_deleted: ClassVar[str] = NEVER_DELETED

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Rows usually hold from now on; a link may say from when, and anything that is no time counts as none."""
        initial = super().get_changeform_initial_data(request)
        return initial | {"effective_from": start_of(initial.get("effective_from"))}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """403 with the sentence, whether there is such a row or not."""
        return self._never(request)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The list. Its only action is refused like the button that is not there."""
        if request.method == "POST" and request.POST.get("action") == "delete_selected":
            return self._never(request)
        return super().changelist_view(request, *args, **kwargs)

    def _never(self, request: HttpRequest) -> TemplateResponse:
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": "Nothing is deleted here",
            "sentence": self.never_deleted,
        }
        return TemplateResponse(request, "admin/ingestion/never_deleted.html", context, status=403)


def start_of(text: object) -> datetime:
    """The instant that a link names, or the present minute."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found or timezone.now().replace(second=0, microsecond=0)
