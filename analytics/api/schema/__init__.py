"""The OpenAPI description of every endpoint, made from the catalogue where it knows the names."""

from analytics.api.schema.annotations import ANNOTATION, ANNOTATION_ADD, ANNOTATION_DELETE, ANNOTATIONS
from analytics.api.schema.budgets import (
    BUDGET,
    BUDGET_ADD,
    BUDGET_CHANGE,
    BUDGET_DELETE,
    BUDGET_STATUS,
    BUDGETS,
)
from analytics.api.schema.exports import EXPORT, EXPORT_CREATE, EXPORT_DELETE, EXPORT_FILE, EXPORT_MANIFEST, EXPORTS
from analytics.api.schema.focus import FOCUS
from analytics.api.schema.lists import DIMENSION_VALUES, REQUEST, REQUESTS
from analytics.api.schema.metrics import META, QUERY_GET, QUERY_POST
from analytics.api.schema.reports import REPORT
from analytics.api.schema.saved import (
    SAVED_ADD,
    SAVED_CHOOSE,
    SAVED_DELETE,
    SAVED_FORGET,
    SAVED_LIST,
    SAVED_READ,
    SAVED_REPLACE,
    SAVED_RESULT,
)
from analytics.api.schema.statements import STATEMENT, STATEMENTS

__all__ = [
    "ANNOTATION",
    "ANNOTATIONS",
    "ANNOTATION_ADD",
    "ANNOTATION_DELETE",
    "BUDGET",
    "BUDGETS",
    "BUDGET_ADD",
    "BUDGET_CHANGE",
    "BUDGET_DELETE",
    "BUDGET_STATUS",
    "DIMENSION_VALUES",
    "EXPORT",
    "EXPORTS",
    "EXPORT_CREATE",
    "EXPORT_DELETE",
    "EXPORT_FILE",
    "EXPORT_MANIFEST",
    "FOCUS",
    "META",
    "QUERY_GET",
    "QUERY_POST",
    "REPORT",
    "REQUEST",
    "REQUESTS",
    "SAVED_ADD",
    "SAVED_CHOOSE",
    "SAVED_DELETE",
    "SAVED_FORGET",
    "SAVED_LIST",
    "SAVED_READ",
    "SAVED_REPLACE",
    "SAVED_RESULT",
    "STATEMENT",
    "STATEMENTS",
]
