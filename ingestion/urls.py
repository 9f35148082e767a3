"""Routes of ingestion. `POST /api/v1/requests` shares its path with a list and is routed in `metricsportal.urls`."""

from django.urls import URLPattern, URLResolver, path

from ingestion import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/ingest/litellm", views.ingest_litellm, name="ingest-litellm"),
    path("api/v1/ingest/envoy", views.ingest_envoy, name="ingest-envoy"),
    # Exporters append these to the address that they are given.
    path("v1/traces", views.otlp.traces, name="otlp-traces"),
    path("v1/metrics", views.otlp.metrics, name="otlp-metrics"),
    path("v1/logs", views.otlp.logs, name="otlp-logs"),
    path("o/<slug:slug>/ingestion/", views.pages.state, name="ingestion"),
    path("o/<slug:slug>/ingestion/test", views.pages.test, name="ingestion-test"),
    path("o/<slug:slug>/ingestion/mapping", views.mapping.rules, name="mapping"),
    path("o/<slug:slug>/ingestion/mapping/try", views.mapping.try_record, name="mapping-try"),
    path("o/<slug:slug>/ingestion/mapping/<int:number>", views.mapping.rule, name="mapping-rule"),
    path("o/<slug:slug>/ingestion/mapping/<int:number>/move", views.mapping.move, name="mapping-move"),
    path("o/<slug:slug>/ingestion/mapping/<int:number>/remove", views.mapping.remove, name="mapping-remove"),
    path("api/public/ingestion", views.langfuse.batch, name="langfuse-batch"),
    path("o/<slug:slug>/ingestion/upload", views.uploads.uploads, name="uploads"),
    path("o/<slug:slug>/ingestion/upload/<uuid:upload_id>/", views.uploads.upload, name="upload"),
    path("o/<slug:slug>/ingestion/upload/<uuid:upload_id>/progress", views.uploads.progress, name="upload-progress"),
    path("o/<slug:slug>/ingestion/upload/<uuid:upload_id>/read", views.uploads.read, name="upload-read"),
    path("o/<slug:slug>/ingestion/upload/<uuid:upload_id>/import", views.uploads.start, name="upload-import"),
    path("o/<slug:slug>/ingestion/upload/<uuid:upload_id>/discard", views.uploads.discard, name="upload-discard"),
    path("api/public/otel/v1/traces", views.otlp.traces, name="langfuse-otlp-traces"),
]
