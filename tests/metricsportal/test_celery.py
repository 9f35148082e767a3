"""The clock names tasks that exist and expire before they pile up."""

import inspect

from metricsportal.celery import BEAT_SCHEDULE, app


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_a_wake_up_carries_nothing_that_could_be_stale() -> None:
    app.loader.import_default_modules()
    for entry in BEAT_SCHEDULE.values():
        assert not inspect.signature(app.tasks[entry["task"]].run).parameters
        assert not {"args", "kwargs"} & entry.keys()


def test_every_wake_up_expires_before_the_next_one() -> None:
    periods = {
        "sweep": 60,
        "sweep-exports": 15,
        "sweep-uploads": 15,
        "settle-observations": 60,
        "send-due-mail": 300,
        "make-summaries": 300,
        "look-at-budgets": 120,
        "call-webhooks": 60,
        "find-anomalies": 3600,
        "continue-repricing": 300,
        "continue-merges": 300,
        "close-due-periods": 3600,
        "verify": 86_400,
        "purge": 86_400,
    }
    expires = {name: entry["options"]["expires"] for name, entry in BEAT_SCHEDULE.items()}
    assert expires.keys() == periods.keys()
    assert all(0 < expires[name] < period for name, period in periods.items())


def test_messages_are_json_and_survive_a_lost_worker() -> None:
    conf = app.conf
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert conf.task_ignore_result is True
    assert conf.task_time_limit < 3600 / 2  # half of the visibility timeout
