"""Django application teams."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """teams of the portal."""

    name = "teams"
