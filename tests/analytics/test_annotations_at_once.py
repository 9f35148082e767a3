"""Deploy hooks that tell of the same event at the same moment, over real transactions."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from analytics.models import Annotation
from teams.models import AuditEntry, Organization
from teams.services import IssuedKey
from tests import make

HOOKS = 6


@pytest.mark.django_db(transaction=True)
def test_one_event_that_many_tell_is_one(acme: Organization, ingest_key: IssuedKey) -> None:
    def send(number: int) -> tuple[int, int]:
        body = {"kind": "deploy", "text": "search 4.2", "external_id": f"build-{number % 2}"}
        try:
            response = Client().post(
                "/api/v1/annotations",
                json.dumps(body),
                content_type="application/json",
                headers=make.bearer(ingest_key),
            )
            return response.status_code, response.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(HOOKS) as pool:
        answers = list(pool.map(send, range(HOOKS * 2)))
    assert Counter(status for status, _ in answers) == {201: 2, 200: HOOKS * 2 - 2}
    assert {pk for _, pk in answers} == set(Annotation.objects.values_list("pk", flat=True))
    assert Annotation.objects.count() == AuditEntry.objects.filter(action="annotation.add").count() == 2
