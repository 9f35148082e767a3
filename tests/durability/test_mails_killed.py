"""Four schedulers that are killed at random points: every mail once, or shown as doubtful (E1).

Statements, summaries and notices of budgets for fifty organizations of five recipients each, to a real mail server.
They are killed while there is everything to do, and then, with the outbox filled, while they hand mails over.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.chargeback.postoffice import Doors, PostOffice
from tests.durability.installation import ROOT, Installation, install, plain
from tests.harness import postgresql

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills processes")]
ORGANIZATIONS: Final = 50
RECIPIENTS: Final = 5
SCHEDULERS: Final = 4
EARLY: Final = 40
"""Kills while months are closed and mails are made."""
KILLS: Final = 100
"""Kills while mails are handed over."""
KINDS: Final = ("statement", "digest", "notice")

# Each organization: a request in October, whose statement is due, and one of yesterday, which uses up a budget.
SCENE: Final = """
import sys
import django
django.setup()
from analytics import rollups
from metricsportal.lib import border
from teams.models import Membership, ReportRecipient, User
from tests import make
from tests.budgets.scene import budget
from tests.chargeback.scene import LATER, day, spend
organizations, recipients = map(int, sys.argv[1:])
with border.everything("the scene of a test"):
    for number in range(organizations):
        acme = make.organization(f"acme-{number}")
        team = make.team(acme, "Search")
        addresses = [f"person-{one}@acme-{number}.example" for one in range(recipients)]
        for address in addresses:
            person = User.objects.create_user(address, None)
            Membership.objects.create(organization=acme, user=person, role="owner")
            ReportRecipient.objects.create(team=team, email=address, daily_since=make.LONG_AGO)
        budget(acme, "1", recipients=addresses)
        spend(acme, day(10), "3", team="Search")
        spend(acme, day(12, 9), "3", team="Search")
    rollups.drain()
"""

# Forks before anything is open, so that a killed one is replaced in milliseconds. Says the number of each.
SCHEDULER: Final = """
import os
import random
import sys
import time
from datetime import timedelta
import django
django.setup()
from analytics.budgets import alerts
from analytics.chargeback import closing, outbox
from analytics.chargeback.digests import making
from tests.chargeback.scene import LATER
MAKE = [closing.close_due, making.make_due, alerts.look_due]
if sys.argv[1] == "once":
    for ring in [*MAKE, outbox.send_due][: int(sys.argv[2])]:
        ring(LATER + timedelta(minutes=int(sys.argv[3])))
    sys.exit()
began = time.monotonic()
while True:
    child = os.fork()
    if not child:
        print(os.getpid(), flush=True)
        random.seed(os.getpid())
        while True:  # each bell rings by itself, as in Celery
            random.choice([*MAKE, outbox.send_due])(LATER + timedelta(seconds=time.monotonic() - began))
            time.sleep(0.02)
    os.waitpid(child, 0)
"""


class Scheduler:
    """A process that starts the next one whenever the one that works was killed."""

    def __init__(self, installation: Installation) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCHEDULER, "ever"],
            cwd=ROOT,
            env={**installation.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.working = self._next()

    def _next(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def kill(self) -> None:
        """Kill the one that works; another takes its place."""
        os.kill(self.working, signal.SIGKILL)
        self.working = self._next()

    def end(self) -> None:
        """Kill it for good."""
        self.process.kill()
        self.process.wait()
        os.kill(self.working, signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def office() -> Iterator[tuple[PostOffice, int]]:
    """A mail server that takes its time, and its port."""
    office = PostOffice()

    def slowly(_: object) -> str:
        time.sleep(0.05)
        return ""

    office.answers["CONTENT"] = slowly
    doors = Doors(office)
    doors.start()
    yield office, doors.port
    doors.stop()


@dataclass(frozen=True, slots=True)
class Mail:
    """A row of the outbox."""

    kind: str
    carried: int
    recipient: str
    state: str
    message_id: str


def mails(server: postgresql.Server) -> list[Mail]:
    """Every mail of the outbox."""
    carried = " ".join(f"WHEN {kind}_id IS NOT NULL THEN '{kind}'" for kind in KINDS)
    number = ", ".join(f"{kind}_id" for kind in KINDS)
    with psycopg.connect(server.url) as connection:
        rows = connection.execute(
            f"SELECT CASE {carried} END, coalesce({number}), recipient, state, message_id FROM analytics_outboxmail"
        )
        return [Mail(*row) for row in rows]


def test_every_mail_arrives_once_or_is_doubtful(tmp_path: Path, office: tuple[PostOffice, int]) -> None:
    (received, port), dice = office, random.Random(1)
    with postgresql.server("fsync=on") as server:
        environment = plain(tmp_path) | {"DATABASE_URL": server.url, "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
        installation = install(environment, server)
        run(installation, SCENE, str(ORGANIZATIONS), str(RECIPIENTS))
        schedulers = [Scheduler(installation) for _ in range(SCHEDULERS)]
        for number in range(EARLY + KILLS):
            if number == EARLY:
                run(installation, SCHEDULER, "once", "3", "1")
            time.sleep(dice.random() / 5)
            dice.choice(schedulers).kill()
        for one in schedulers:
            one.end()
        unfinished = sum(mail.state == "sending" for mail in mails(server))
        run(installation, SCHEDULER, "once", "4", "60")
        found = mails(server)
    copies, of_kind = received.copies, Counter(mail.kind for mail in found)
    assert (of_kind["statement"], of_kind["digest"]) == (ORGANIZATIONS * RECIPIENTS,) * 2
    assert of_kind["notice"] >= ORGANIZATIONS * RECIPIENTS
    assert {*Counter((mail.kind, mail.carried) for mail in found).values()} == {RECIPIENTS}
    assert {*Counter((mail.kind, mail.carried, mail.recipient) for mail in found).values()} == {1}
    assert {mail.state for mail in found} <= {"sent", "uncertain"}
    doubtful = [mail for mail in found if mail.state == "uncertain"]
    assert KILLS / 5 < unfinished <= len(doubtful) <= EARLY + KILLS + SCHEDULERS
    assert {*copies} <= {mail.message_id for mail in found}
    assert {copies[mail.message_id] for mail in found if mail.state == "sent"} == {1}
    assert {copies[mail.message_id] for mail in doubtful} == {0, 1}, "kills before the server had it, and after"


def run(installation: Installation, code: str, *words: str) -> None:
    """Code in a process of the installation; its failure fails the test."""
    command = [sys.executable, "-c", code, *words]
    answer = subprocess.run(
        command, cwd=ROOT, env={**installation.environment}, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
