"""The administration site: the portal's title, and the portal's only way to sign in.

Not in `teams.admin`: importing that package registers models, which needs this site first.
"""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from metricsportal.lib import border


class PortalAdminSite(AdminSite):
    """What people who manage organizations, prices or statements see at `/admin/`."""

    site_title = site_header = "Metrics portal"
    index_title = "Administration"
    site_url = "/"

    def register(self, model_or_iterable: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Django types it
        """Lists models of the portal. Those of allauth belong to no organization, so nobody here may see them."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        own = [model for model in models if not model.__module__.startswith("allauth.")]
        if own:
            super().register(own, *args, **kwargs)

    def has_permission(self, request: HttpRequest) -> bool:
        """Who may open a page at all; operators see behind every border on it."""
        if request.user.is_active and request.user.is_superuser:
            border.admit_everything("operators look after every organization")
        return super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the portal's sign-in page and back; 403 for people whose roles manage nothing."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, "/admin/"))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")
