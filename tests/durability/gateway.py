"""A gateway that sends over HTTP, remembers what was acknowledged and keeps the rest to send it again."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

BATCH: Final = 40


@dataclass(slots=True)
class Gateway:
    """Senders share it: every id that was sent, those that were acknowledged, and batches without an answer."""

    port: int
    key: str
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    unanswered: list[list[dict[str, object]]] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    runs: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, records: list[dict[str, object]]) -> bool:
        """One batch, once; whether it was acknowledged."""
        ids = {str(record["request_id"]) for record in records}
        status, answer = self._post(json.dumps(records).encode())
        with self.lock:
            self.sent |= ids
            if status:
                self.statuses.add(status)
            if status == 200 and answer["accepted"] + answer["duplicate"] == len(records):
                self.acknowledged |= ids
                return True
            self.unanswered.append(records)
        return False

    def _post(self, body: bytes) -> tuple[int, dict[str, int]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/requests", body, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if response.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}  # the connection broke: nothing is known about the batch
        finally:
            connection.close()

    def send_again(self) -> None:
        """Everything that has no answer yet, until it has one."""
        for _ in range(50):
            waiting, self.unanswered = self.unanswered, []
            for records in waiting:
                self.send(records)
            if not self.unanswered:
                return

    def run(self, senders: int, stop: threading.Event) -> list[threading.Thread]:
        """Send from several threads until told to stop; a tenth of the batches is sent twice at once."""
        self.runs += 1
        work: list[Callable[[], None]] = [lambda number=number: self._sender(number, stop) for number in range(senders)]  # type: ignore[misc] # bound early
        threads = [threading.Thread(target=one) for one in work]
        for thread in threads:
            thread.start()
        return threads

    def _sender(self, number: int, stop: threading.Event) -> None:
        turn = 0
        while not stop.is_set():
            records = batch(f"r{self.runs}-s{number}-{turn}")
            self.send(records)
            if turn % 10 == 0:
                self.send(records)
            turn += 1


def batch(name: str) -> list[dict[str, object]]:
    """Records of the last hours, some of them failures."""
    start = datetime.now(UTC) - timedelta(hours=3)
    return [
        {
            "request_id": f"{name}-{number}",
            "started_at": (start + timedelta(minutes=4 * number)).isoformat(),
            "model": f"model-{number % 3}",
            "provider": "openai",
            "user": f"user-{number % 7}",
            "input_tokens": 100 + number,
            "output_tokens": number,
            "latency_ms": 100.5 + number,
            "status_code": 429 if number % 11 == 0 else 200,
            "reported_cost_usd": "0.000001",
        }
        for number in range(BATCH)
    ]
