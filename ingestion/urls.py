"""Routes of ingestion."""

from django.urls import URLPattern, URLResolver, path

from ingestion import views

urlpatterns: list[URLPattern | URLResolver] = [
    # GET of the same path lists requests: routed by method where both exist.
    path("api/v1/requests", views.ingest_native, name="ingest-native"),
    path("api/v1/ingest/litellm", views.ingest_litellm, name="ingest-litellm"),
]
