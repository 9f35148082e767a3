"""Routes of analytics."""

from django.urls import URLPattern, URLResolver, include, path

from analytics.views import annotations, costs, dashboard, overview, requests, routing, statements

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/", dashboard.dashboard, name="dashboard"),
    path("o/<slug:slug>/data", dashboard.dashboard_data, name="dashboard-data"),
    path("o/<slug:slug>/overview/", overview.overview, name="overview"),
    path("o/<slug:slug>/routing/", routing.routing, name="routing"),
    path("o/<slug:slug>/annotations/", annotations.add, name="annotation-add"),
    path("o/<slug:slug>/annotations/<int:number>/delete", annotations.delete, name="annotation-delete"),
    path("o/<slug:slug>/costs/", costs.costs, name="costs"),
    path("o/<slug:slug>/requests/", requests.requests, name="requests"),
    path("o/<slug:slug>/requests/one", requests.detail, name="request"),
    path("o/<slug:slug>/statements/", statements.statements, name="statements"),
    path("o/<slug:slug>/statements/months/<str:month>/", statements.month, name="statement-month"),
    path("o/<slug:slug>/statements/months/<str:month>/close", statements.close, name="statement-month-close"),
    path("o/<slug:slug>/statements/<slug:number>/", statements.statement, name="statement"),
    path("o/<slug:slug>/statements/<slug:number>/csv", statements.statement_csv, name="statement-csv"),
    path("", include("analytics.api.urls")),
]
