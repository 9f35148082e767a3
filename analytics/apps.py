"""Django application analytics."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Aggregates and questions to them; of its tables only those of chargeback are administered."""

    name = "analytics"
    verbose_name = "Chargeback"
