"""WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from metricsportal import durability
from metricsportal.row_security import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metricsportal.settings")
application = get_wsgi_application()
database.require()
durability.require()
# All views are imported now: a new worker takes connections when it can answer at once, not a second later.
get_resolver().url_patterns  # noqa: B018 - read for what it does
# What is loaded by now stays, and an answer makes tens of thousands of small lists: looking through all of it for
# cycles again and again took a quarter of the time of a page.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
