"""All measurements in their order, and the page they make."""

import argparse
from dataclasses import replace
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django is set up above

from benchmarks import (  # noqa: E402
    accuracy,
    bulk,
    closing,
    columnar,
    downloads,
    embedded,
    engine,
    exports,
    ingest,
    load,
    machine,
    page,
    pricing,
    purge,
    repricing,
    rollups,
    storage,
    tenants,
    web,
)
from benchmarks.clock import say  # noqa: E402
from ingestion.models import LLMRequest  # noqa: E402


def everything(chosen: argparse.Namespace, folder: Path) -> str:
    """Measure on the empty database of DATABASE_URL; returns the page."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    about, file = machine.describe(), folder / "traffic.ndjson"
    small = tenants.found("bench", chosen.requests, chosen)
    loaded = load.load(chosen, small, file)
    storage.vacuum()
    with web.running(folder, web.unthrottled()) as portal:
        exported = exports.measure(portal, small)
        errors = accuracy.measure(portal, small)
        # Behind them: it doubles the facts, and what is measured before shall not know of them. An organization of its
        # own gets them, and loses them again when costs are measured, for which nobody may be connected.
        last = LLMRequest.objects.latest("id").pk
        sending = tenants.found("sending", chosen.requests, chosen)
        sent = ingest.measure(portal, sending, folder)
        purged = purge.measure(portal, sending, chosen.requests)
    repriced = repricing.measure(small.organization, small.calendar, last)
    load.manage("rollup", f"--organization={small.slug}", "--drain")
    large = tenants.found("large", chosen.large, chosen)
    stored = bulk.load(large)
    rebuilt = rollups.everything(large)
    storage.vacuum()
    with web.running(folder, web.unthrottled()) as portal:
        files = downloads.measure(portal, large)
    with web.running(folder, web.unthrottled()) as portal:
        measured = engine.measure(portal, [small, large], chosen.rounds, rebuilt=rebuilt, files=files)
        compared = columnar.measure(portal, large, folder)
    with web.running(folder, web.unthrottled() | engine.FORGETFUL) as forgetful:
        measured = replace(measured, forgotten=engine.forgotten(forgetful, portal, large))
    closed = closing.measure(large)
    tables, grains = storage.tables(), storage.grains(large.organization.pk)
    on_sqlite = embedded.measure(chosen, file)
    # Last: its prices change what everything before would have cost.
    priced = pricing.measure(small.organization, small.calendar)
    say("done")
    return page.render(
        page.Figures(
            chosen=chosen,
            machine=about,
            loaded=loaded,
            exports=exported,
            errors=errors,
            ingested=sent,
            repriced=repriced,
            stored=stored,
            engine=measured,
            columnar=compared,
            closed=closed,
            tables=tables,
            grains=grains,
            embedded=on_sqlite,
            priced=priced,
            purged=purged,
        )
    )
