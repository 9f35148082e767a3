"""The project: settings, routes, task queue. Pure values shared by the apps live in `metricsportal.lib`."""

from metricsportal.celery import app as celery_app

__all__ = ["celery_app"]
