"""Django application analytics."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """analytics of the portal."""

    name = "analytics"
