"""The page that shows a new secret: in the answer to the request that made it, stored nowhere on the way."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from teams.admin.scoped import ScopedAdmin


def show_once(model_admin: ScopedAdmin, request: HttpRequest, **context: Any) -> HttpResponse:
    """Answer with `secret` under `title`, `label` and `explanation`. Not a message: those pass through a cookie."""
    context |= model_admin.admin_site.each_context(request) | {"opts": model_admin.opts}
    response = TemplateResponse(request, "admin/teams/secret.html", context)
    response["Cache-Control"] = "no-store"
    return response
