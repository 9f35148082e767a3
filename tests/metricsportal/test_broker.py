"""Files as task queue."""

from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from metricsportal import broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def queue_of(folder: Path) -> SimpleQueue:
    broker.register()
    places = {"data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue")}
    connection = Connection("filesystem://", transport_options=places | {"control_folder": str(folder / "control")})
    # The transport remembers bindings per process, whatever the folder: every test has a queue of its own name.
    return connection.SimpleQueue(folder.name, serializer="json")


def test_messages_come_back_in_order_and_leave_nothing_behind(folder: Path) -> None:
    with queue_of(folder) as queue:
        assert type(queue.channel) is broker.Channel
        for number in range(20):
            queue.put({"number": number})
        received = []
        for _ in range(20):
            message = queue.get(timeout=5)
            received.append(message.payload["number"])
            message.ack()
        assert received == list(range(20))
        assert list((folder / "queue").iterdir()) == []
        with pytest.raises(queue.Empty):
            queue.get_nowait()


def test_a_draft_is_not_read(folder: Path) -> None:
    (folder / "queue" / f".1_x.{folder.name}.msg").write_text('{"half": ')
    with queue_of(folder) as queue, pytest.raises(queue.Empty):
        queue.get_nowait()


@pytest.mark.parametrize("torn", ["", '{"body": ', "\x00\x00"])
def test_a_torn_message_is_dropped_and_the_next_one_read(
    folder: Path, torn: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "queue" / f"00000000000000000001_x.{folder.name}.msg").write_text(torn)
    with queue_of(folder) as queue:
        queue.put("next")
        message = queue.get(timeout=5)
        assert message.payload == "next"
        message.ack()
    assert "Dropped a message that cannot be read" in caplog.text
    assert list((folder / "queue").iterdir()) == []
