"""Django application ingestion."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    """Requests, what they are attributed to, and their prices."""

    name = "ingestion"
    verbose_name = "Requests and prices"
