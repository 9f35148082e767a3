"""The page that tells how ingest is going."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ingestion import health
from ingestion.keeping import keeping
from ingestion.services import UnavailableError
from teams.access import Scope
from teams.pages import Organization, organization_page
from teams.roles import Capability


@require_safe
@organization_page(Capability.SEE_EVERYTHING)
def state(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Who sends, with what outcome, and the newest refused records."""
    now = timezone.now()
    context = {
        "organization": organization,
        "health": health.health(organization, now),
        "keeping": keeping(organization, now),
        "may_test": scope.allows(Capability.MANAGE_PEOPLE),
        "test_model": health.TEST_MODEL,
    }
    return render(request, "ingestion/state.html", context)


@require_POST
@organization_page(Capability.MANAGE_PEOPLE)
def test(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    """Send a test record and say what became of it."""
    try:
        outcome = health.send_test(organization, timezone.now())
    except UnavailableError:
        messages.error(request, "The database cannot store now; try again in a moment.")
    else:
        words = "was stored" if outcome.accepted else "was refused"
        messages.success(request, f"The test record {words}. It is on the dashboard as model {health.TEST_MODEL}.")
    return redirect("ingestion", organization.slug)
