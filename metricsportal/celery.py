"""Task queue and its clock. Messages are wake-ups: what is due is decided by rows in the database, never here."""

import os
import warnings
from datetime import timedelta
from typing import Any, Final

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.schedules import crontab
from celery.signals import worker_init

from metricsportal import broker
from metricsportal.lib import border, keeping

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metricsportal.settings")

# Its reason to fear root is pickled messages; this project accepts JSON only.
warnings.filterwarnings("ignore", message="You're running the worker with superuser", category=SecurityWarning)

broker.register()
app: Final = Celery("metricsportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _start_worker(**_: object) -> None:
    """Tasks look for work in every organization, and draw the border of one around what they do for it."""
    from metricsportal.row_security import database  # noqa: PLC0415 - needs the settings

    border.open_process("a worker looks for work in every organization")
    database.require()


def _entry(task: str, schedule: timedelta | crontab, expires: timedelta) -> dict[str, Any]:
    # A wake-up nobody took before the next one adds nothing: it expires instead of piling up.
    return {"task": task, "schedule": schedule, "options": {"expires": expires.total_seconds()}}


BEAT_SCHEDULE: Final = {
    "sweep": _entry("analytics.tasks.sweep", timedelta(minutes=1), timedelta(seconds=55)),
    "settle-observations": _entry("ingestion.tasks.settle_observations", timedelta(minutes=1), timedelta(seconds=55)),
    # Short: this long, and the lease before it, an import stands still when its worker died.
    "sweep-uploads": _entry("ingestion.tasks.sweep_uploads", timedelta(seconds=15), timedelta(seconds=14)),
    "sweep-exports": _entry("analytics.tasks.sweep_exports", timedelta(seconds=15), timedelta(seconds=14)),
    "close-due-periods": _entry("analytics.tasks.close_due_periods", crontab(minute="7"), timedelta(minutes=50)),
    "send-due-mail": _entry("analytics.tasks.send_due_mail", timedelta(minutes=5), timedelta(minutes=4)),
    "make-summaries": _entry("analytics.tasks.make_summaries", timedelta(minutes=5), timedelta(minutes=4)),
    "look-at-budgets": _entry("analytics.tasks.look_at_budgets", timedelta(minutes=2), timedelta(seconds=110)),
    "call-webhooks": _entry("analytics.tasks.call_webhooks", timedelta(minutes=1), timedelta(seconds=55)),
    "find-anomalies": _entry("analytics.tasks.find_anomalies", crontab(minute="23"), timedelta(minutes=50)),
    "continue-repricing": _entry("ingestion.tasks.continue_repricing", timedelta(minutes=5), timedelta(minutes=4)),
    "continue-merges": _entry("ingestion.tasks.continue_merges", timedelta(minutes=5), timedelta(minutes=4)),
    "verify": _entry("analytics.tasks.verify", crontab(hour="2", minute="10"), timedelta(hours=6)),
    "purge": _entry(
        "analytics.tasks.purge",
        crontab(hour=str(keeping.NIGHTLY.hour), minute=str(keeping.NIGHTLY.minute)),
        timedelta(hours=3),
    ),
}
app.conf.beat_schedule = BEAT_SCHEDULE
