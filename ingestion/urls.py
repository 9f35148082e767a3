"""Routes of ingestion. `POST /api/v1/requests` shares its path with a list and is routed in `metricsportal.urls`."""

from django.urls import URLPattern, URLResolver, path

from ingestion import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/ingest/litellm", views.ingest_litellm, name="ingest-litellm"),
]
