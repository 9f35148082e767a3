"""Django application analytics."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Aggregates and questions to them; of its tables only those of chargeback are administered."""

    name = "analytics"
    verbose_name = "Chargeback"

    def ready(self) -> None:
        """Tell repricing which months are closed: it may not ask the tables of an application above it."""
        from analytics.chargeback.months import closed_months  # noqa: PLC0415 - models are not loaded earlier
        from ingestion.repricing import closed  # noqa: PLC0415

        closed.register(closed_months)
