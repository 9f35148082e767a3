"""Routes of teams with a page below `/o/<slug>/`, so that these tests need no page of another app."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from teams.access import Scope
from teams.authentication import ScopedRequest
from teams.pages import Organization, organization_page
from teams.roles import Capability, KeyScope


@organization_page()
def dashboard(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    return HttpResponse(f"{organization.slug} {scope.reach}")


@organization_page(Capability.MANAGE_PRICES)
def prices(request: HttpRequest, organization: Organization, scope: Scope) -> HttpResponse:
    return HttpResponse("prices")


class Read(APIView):
    def get(self, request: ScopedRequest) -> Response:
        scope = request.scope
        return Response({"organization": scope.organization_id, "reach": scope.reach, "teams": sorted(scope.team_ids)})

    def post(self, request: Request) -> Response:
        return Response({"stored": True})


class Export(Read):
    key_scope = KeyScope.EXPORT


class Manage(Read):
    capability = Capability.MANAGE_PEOPLE


urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("teams.urls")),
    path("o/<slug:slug>/", dashboard, name="dashboard"),
    path("o/<slug:slug>/prices", prices),
    path("schema", SpectacularAPIView.as_view(urlconf="tests.teams.urls")),
    path("read", Read.as_view()),
    path("export", Export.as_view()),
    path("manage", Manage.as_view()),
]
