"""Routes of analytics."""

from django.urls import URLPattern, URLResolver, include, path

from analytics.views import dashboard

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/", dashboard.dashboard, name="dashboard"),
    path("o/<slug:slug>/data", dashboard.dashboard_data, name="dashboard-data"),
    path("", include("analytics.api.urls")),
]
