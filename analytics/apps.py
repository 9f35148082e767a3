"""Django application analytics."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Aggregates and questions to them; of its tables only those of chargeback are administered."""

    name = "analytics"
    verbose_name = "Chargeback"

    def ready(self) -> None:
        """Tell repricing and merging which months are closed: they may not ask the tables of an application above."""
        from analytics.chargeback.months import closed_months, hold_open  # noqa: PLC0415 - models are not loaded earlier
        from ingestion.repricing import closed  # noqa: PLC0415

        closed.register(closed_months, hold_open)
