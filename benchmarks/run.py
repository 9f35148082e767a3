"""All measurements in their order, and the page they make."""

import argparse
import os
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django is set up above
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import (  # noqa: E402
    accuracy,
    exports,
    ingest,
    load,
    machine,
    page,
    pages,
    pricing,
    repricing,
    storage,
    web,
)
from benchmarks.clock import say  # noqa: E402
from ingestion.models import LLMRequest  # noqa: E402
from teams.services.bootstrap import Bootstrapped, bootstrap  # noqa: E402

ZONE = "Europe/Berlin"


def everything(chosen: argparse.Namespace, folder: Path) -> str:
    """Measure on the empty database of DATABASE_URL; returns the page."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    about = machine.describe()
    made = bootstrap(
        slug="bench", name="Benchmark", zone=ZONE, email="bench@example.com", password=None, now=timezone.now()
    )
    calendar = load.calendar_of(chosen, made.organization)
    loaded = load.load(chosen, made.organization, calendar, folder)
    storage.vacuum()
    with web.running(folder, os.environ) as portal:
        _let_in(portal, made)
        viewed = pages.measure(portal, made.organization.slug, chosen.rounds)
        exported = exports.measure(portal, calendar.period)
        errors = accuracy.measure(portal, calendar.period)
        tables, grains = storage.tables(), storage.grains()
        # Last: it doubles the facts, and what is measured before shall not know of them.
        last = LLMRequest.objects.latest("id").pk
        sent = ingest.measure(portal, made.organization.slug, chosen.requests, folder)
    # Only now: nobody is connected any more, and its prices change what everything before would have cost.
    repriced = repricing.measure(made.organization, calendar, last)
    priced = pricing.measure(made.organization, calendar)
    say("done")
    return page.render(
        page.Figures(chosen, about, loaded, viewed, exported, tables, grains, errors, sent, priced, repriced)
    )


def _let_in(portal: web.Portal, made: Bootstrapped) -> None:
    """Sign in as the administrator, and use the first keys."""
    client = Client()
    client.force_login(made.admin)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    portal.browser["Cookie"] = f"{cookie.key}={cookie.value}"
    portal.key["Authorization"] = f"Bearer {made.keys['read_key']}"
    portal.sender["Authorization"] = f"Bearer {made.keys['ingest_key']}"
