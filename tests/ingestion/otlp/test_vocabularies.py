"""Which vocabulary reads a span, and what all of them have in common."""

from typing import Any

import pytest

from ingestion.records import RejectedError
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import chat, span
from tests.ingestion.otlp.test_frameworks import OPENINFERENCE, VERCEL
from tests.ingestion.otlp.test_gateways import TRUEFOUNDRY


def test_vocabularies_are_tried_in_their_order() -> None:
    """The first of them whose words a span uses reads it."""
    everything = chat() | OPENINFERENCE | VERCEL
    assert bodies.record(span(everything)).input_tokens == 50
    assert bodies.record(span(everything | {"langfuse.observation.type": "generation"})).input_tokens is None
    assert bodies.record(span(everything | TRUEFOUNDRY)).input_tokens == 120
    assert bodies.record(span(chat() | VERCEL, scope="litellm")).input_tokens == 30


@pytest.mark.parametrize(
    "attributes",
    [
        OPENINFERENCE | {"llm.token_count.prompt": "few"},
        VERCEL | {"ai.usage.inputTokens": "few"},
        TRUEFOUNDRY | {"tfy.model.metric.input_tokens": "few"},
        {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"prompt_tokens": "few"}'},
        {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": "few"}'},
    ],
)
def test_what_is_no_count_is_refused(attributes: dict[str, Any]) -> None:
    (item,) = bodies.records(span(attributes))
    assert isinstance(item, RejectedError)
    assert item.code == "invalid"
