"""A worker is woken when its work is committed, by a message that carries an id; without a broker the clock does it."""

import logging
from queue import Empty

import pytest
from celery import current_app
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from metricsportal.celery import app
from teams import doorbell

pytestmark = pytest.mark.django_db


def test_the_message_is_sent_at_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with app.connection_for_write() as connection, connection.SimpleQueue(app.conf.task_default_queue) as queue:
        queue.clear()
        with django_capture_on_commit_callbacks(execute=True):
            doorbell.ring_after_commit("ingestion.tasks.reprice", 4711)
            with pytest.raises(Empty):
                queue.get(block=False)
        message = queue.get(timeout=10)
        message.ack()
        assert (message.headers["task"], message.payload[0]) == ("ingestion.tasks.reprice", [4711])


def test_without_a_broker_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        doorbell.ring_after_commit("ingestion.tasks.reprice", 4711)
    assert "no worker could be called for ingestion.tasks.reprice" in caplog.text
