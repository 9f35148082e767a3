"""Facts as binary columns: equal to rows of the driver, and never put together from two states of the table."""

from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.models import F

from analytics.cells import frame
from analytics.cells.binary import read_integers
from ingestion.models import LLMRequest, MetadataKey
from teams.models import Organization
from tests import make

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no binary form of rows"),
]


def test_a_null_is_refused(acme: Organization) -> None:
    make.request(acme, ttft_ms=None, streaming=False)
    with pytest.raises(ValueError, match="something else"):
        read_integers(LLMRequest.objects.order_by(), [F("ttft_us")])


def test_a_fact_that_comes_in_between_belongs_to_its_own_text(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.request(acme, input_tokens=1, metadata={"tenant": "first"})

    def read_and_store(rows: Any, expressions: Any) -> Any:
        found = read_integers(rows, expressions)
        if LLMRequest.objects.count() == 1:
            make.request(acme, input_tokens=2, metadata={"tenant": "second"})
        return found

    monkeypatch.setattr("analytics.cells.frame.read_integers", read_and_store)
    key = MetadataKey.objects.get(organization=acme, name="tenant")
    columns, texts = frame.read(LLMRequest.objects.filter(organization=acme), ["team_id"], [key])
    (column,) = texts.values()
    assert set(zip(columns["input_tokens"].tolist(), column, strict=True)) == {(1, "first"), (2, "second")}
    assert all(isinstance(one, np.ndarray) for one in columns.values())
