"""Django application ingestion."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    """ingestion of the portal."""

    name = "ingestion"
