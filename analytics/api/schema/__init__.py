"""The OpenAPI description of every endpoint, made from the catalogue where it knows the names."""

from analytics.api.schema.lists import DIMENSION_VALUES, REQUEST, REQUESTS
from analytics.api.schema.metrics import META, QUERY_GET, QUERY_POST
from analytics.api.schema.reports import REPORT

__all__ = ["DIMENSION_VALUES", "META", "QUERY_GET", "QUERY_POST", "REPORT", "REQUEST", "REQUESTS"]
