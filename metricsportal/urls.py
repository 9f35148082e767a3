"""Routes of the project: admin, operators' endpoints, API description, and those of the apps."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from analytics.api.requests import RequestList
from ingestion.views import ingest_native
from metricsportal import operations
from metricsportal.middleware import content_security_policy


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI of `/api/schema/`, from files of this installation. Its page carries one inline style."""
    response: HttpResponse = SpectacularSwaggerSplitView.as_view(url_name="api-schema")(request)
    response["Content-Security-Policy"] = content_security_policy(style_src="'self' 'unsafe-inline'")
    return response


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
    path("api/docs/", api_docs, name="api-docs"),
    path("api/v1/requests", requests, name="requests"),
    path("", include("teams.urls")),
    path("", include("ingestion.urls")),
    path("", include("analytics.urls")),
]
