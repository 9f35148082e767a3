"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metricsportal.settings")
application = get_wsgi_application()
# All views are imported now: a new worker takes connections when it can answer at once, not a second later.
get_resolver().url_patterns  # noqa: B018 - read for what it does
