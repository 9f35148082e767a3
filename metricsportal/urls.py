"""Routes of the project: admin, operators' endpoints, API description, and those of the apps."""

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from analytics.api.requests import RequestList
from ingestion.views import ingest_native
from metricsportal import operations


@csrf_exempt
def requests(request: HttpRequest) -> HttpResponseBase:
    """One path of two apps: POST stores requests, every other method asks for them."""
    view = ingest_native if request.method == "POST" else RequestList.as_view()
    return view(request)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.metrics, name="metrics"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", require_safe(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
    path("api/v1/requests", requests, name="requests"),
    path("", include("teams.urls")),
    path("", include("ingestion.urls")),
    path("", include("analytics.urls")),
]
