"""Routes of the REST API."""

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from analytics.api.annotations import AnnotationDetail, Annotations
from analytics.api.budgets import BudgetDetail, Budgets, BudgetStatus
from analytics.api.default_views import DefaultView
from analytics.api.dimensions import DimensionValues
from analytics.api.exports import ExportDetail, ExportFile, ExportList, ExportManifest
from analytics.api.focus import FocusView
from analytics.api.metrics import MetricsMeta, MetricsQuery
from analytics.api.problems import problem_response
from analytics.api.report import ReportView
from analytics.api.requests import RequestDetail, RequestList
from analytics.api.saved import SavedViewDetail, SavedViewResult, SavedViews
from analytics.api.statements import StatementDetail, Statements


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponseBase:
    """Paths of the API that do not exist refuse as every endpoint does, not with a page."""
    return problem_response(request, 404, "There is nothing here, or nothing you may see.")


urlpatterns: Final[list[URLPattern]] = [
    path("api/v1/metrics/query", MetricsQuery.as_view(), name="metrics-query"),
    path("api/v1/metrics/meta", MetricsMeta.as_view(), name="metrics-meta"),
    path("api/v1/report", ReportView.as_view(), name="report"),
    path("api/v1/focus", FocusView.as_view(), name="focus"),
    path("api/v1/requests", RequestList.as_view(), name="request-list"),
    path("api/v1/requests/<path:request_id>", RequestDetail.as_view(), name="request-detail"),
    path("api/v1/exports", ExportList.as_view(), name="export-list"),
    path("api/v1/exports/<uuid:export_id>", ExportDetail.as_view(), name="export-detail"),
    path("api/v1/exports/<uuid:export_id>/file", ExportFile.as_view(), name="export-file"),
    path("api/v1/exports/<uuid:export_id>/manifest", ExportManifest.as_view(), name="export-manifest"),
    path("api/v1/dimensions/<path:name>/values", DimensionValues.as_view(), name="dimension-values"),
    path("api/v1/saved-views", SavedViews.as_view(), name="saved-views"),
    path("api/v1/saved-views/<str:view_id>", SavedViewDetail.as_view(), name="saved-view"),
    path("api/v1/saved-views/<str:view_id>/result", SavedViewResult.as_view(), name="saved-view-result"),
    path("api/v1/annotations", Annotations.as_view(), name="annotations"),
    path("api/v1/annotations/<str:annotation_id>", AnnotationDetail.as_view(), name="annotation"),
    path("api/v1/statements", Statements.as_view(), name="statement-list"),
    path("api/v1/statements/<str:number>", StatementDetail.as_view(), name="statement-detail"),
    path("api/v1/budgets", Budgets.as_view(), name="budget-list"),
    path("api/v1/budgets/<str:budget_id>", BudgetDetail.as_view(), name="budget-detail"),
    path("api/v1/budgets/<str:budget_id>/status", BudgetStatus.as_view(), name="budget-status"),
    path("api/v1/saved-views/<str:view_id>/default/<str:whom>", DefaultView.as_view(), name="saved-view-default"),
    re_path(r"^api/v1/[\s\S]*$", nothing_here),  # line breaks too, which <path:...> does not match
]
