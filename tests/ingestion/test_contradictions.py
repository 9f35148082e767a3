"""Usage as every format tells it, sound and contradictory: what is stored costs what the lines by hand say.

Nothing is ever negative: a part larger than its whole is cut and flagged, cached tokens beside the input are added and
flagged, and the database refuses what would slip through.
"""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from ingestion import services
from ingestion.formats import FORMATS
from ingestion.models import LLMRequest
from ingestion.records import TOKEN_FIELDS
from teams.models import Organization
from tests import make
from tests.ingestion.exports.rows import langfuse, portkey
from tests.ingestion.otlp import bodies
from tests.ingestion.test_litellm import START, payload

pytestmark = pytest.mark.django_db
PRICES = {
    "input": "1", "cache_read": "0.1", "cache_write": "1.25", "cache_write_1h": "2", "audio_input": "10",
    "image_input": "5", "output": "4", "audio_output": "20", "image_output": "40",
}  # fmt: skip
"""USD per million tokens: a token costs so many microdollars."""
COSTS = ("cost", "list_cost", "contracted_cost", "reported_cost")
Line = tuple[int, str]


def native(**usage: object) -> tuple[str, object]:
    return "ndjson", {"request_id": "a", "started_at": "2026-11-24T11:59:00Z", "model": "m", "usage": usage}


def litellm(prompt: int, completion: int, **usage_object: object) -> tuple[str, object]:
    about = {"usage_object": usage_object}
    times = {"startTime": START, "endTime": START + 1, "response_cost": None}
    return "litellm", payload(model="m", prompt_tokens=prompt, completion_tokens=completion, metadata=about, **times)


def otlp(**counts: int) -> tuple[str, object]:
    names = {f"gen_ai.usage.{name.replace('__', '.')}": count for name, count in counts.items()}
    return "otlp", bodies.document([bodies.span(bodies.chat(**{"gen_ai.request.model": "m"} | names))])


def buckets(**details: int) -> tuple[str, object]:
    return "langfuse", langfuse(usage_details=details, provided_model_name="m", total_cost=None, cost_details=None)


def exported(**usage: object) -> tuple[str, object]:
    return "portkey", portkey(response={"usage": usage}, ai_model="m", cost=None)


def chat(prompt: int, completion: int, into: dict[str, int], out: dict[str, int]) -> dict[str, object]:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return counts | {"prompt_tokens_details": into, "completion_tokens_details": out}


PARTS = chat(
    100,
    50,
    {"cached_tokens": 40, "image_tokens": 20, "audio_tokens": 10},
    {"reasoning_tokens": 5, "image_tokens": 20, "audio_tokens": 10},
)
PARTS_LINES = (
    *((30, "1"), (40, "0.1"), (20, "5"), (10, "10")),
    *((15, "4"), (5, "4"), (20, "40"), (10, "20")),
)
SOUND: dict[str, tuple[tuple[str, object], tuple[Line, ...]]] = {
    "native, OpenAI chat": (native(**PARTS), PARTS_LINES),
    "Portkey, OpenAI chat": (exported(**PARTS), PARTS_LINES),
    "LiteLLM": (litellm(100, 50, **PARTS), PARTS_LINES),
    "native, Anthropic": (
        native(input_tokens=12, cache_read_input_tokens=30, cache_creation_input_tokens=8, output_tokens=6),
        ((12, "1"), (30, "0.1"), (8, "1.25"), (6, "4")),
    ),
    "native, Bedrock": (
        native(inputTokens=7, cacheReadInputTokens=53, outputTokens=4),
        ((7, "1"), (53, "0.1"), (4, "4")),
    ),
    "native, Gemini": (
        native(
            promptTokenCount=100,
            cachedContentTokenCount=40,
            candidatesTokenCount=30,
            thoughtsTokenCount=5,
            promptTokensDetails=[{"modality": "IMAGE", "tokenCount": 60}, {"modality": "TEXT", "tokenCount": 40}],
            cacheTokensDetails=[{"modality": "IMAGE", "tokenCount": 40}],
            candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 25}],
        ),
        # All cached tokens are of the image: 20 of it are left, and 40 of text.
        ((40, "1"), (40, "0.1"), (20, "5"), (5, "4"), (5, "4"), (25, "40")),
    ),
    "GenAI span": (
        otlp(
            input_tokens=100,
            output_tokens=50,
            cache_read__input_tokens=40,
            image__input_tokens=30,
            image__cache_read__input_tokens=10,
            image__output_tokens=20,
        ),
        ((40, "1"), (40, "0.1"), (20, "5"), (30, "4"), (20, "40")),
    ),
    "Langfuse": (
        buckets(input=30, input_cached_tokens=40, input_image_tokens=20, output=15, output_image_tokens=20),
        ((30, "1"), (40, "0.1"), (20, "5"), (15, "4"), (20, "40")),
    ),
    "CSV": (
        (
            "csv",
            b"request_id,started_at,model,input_tokens,output_tokens,cached_tokens,image_input_tokens\n"
            b"a,2026-11-24T11:59:00Z,m,100,5,40,20\n",
        ),
        ((40, "1"), (40, "0.1"), (20, "5"), (5, "4")),
    ),
}
CONTRADICTORY: dict[str, tuple[tuple[str, object], tuple[Line, ...]]] = {
    # More cached than sent: the source counts them apart, so nothing is cut.
    "native, cached beside the prompt": (
        native(**chat(100, 50, {"cached_tokens": 150}, {})),
        ((100, "1"), (150, "0.1"), (50, "4")),
    ),
    "LiteLLM, cached beside the prompt": (litellm(10, 0, cache_read_input_tokens=40), ((10, "1"), (40, "0.1"))),
    "Gemini, cached beside the prompt": (
        native(promptTokenCount=10, cachedContentTokenCount=40, candidatesTokenCount=3, thoughtsTokenCount=2),
        ((10, "1"), (40, "0.1"), (5, "4")),
    ),
    "span, cached beside the prompt": (
        otlp(input_tokens=10, output_tokens=1, cache_read__input_tokens=30),
        ((10, "1"), (30, "0.1"), (1, "4")),
    ),
    "CSV, cached beside the prompt": (
        (
            "csv",
            b"request_id,started_at,model,input_tokens,output_tokens,cached_tokens\na,2026-11-24T11:59:00Z,m,10,0,30\n",
        ),
        ((10, "1"), (30, "0.1")),
    ),
    # Parts larger than what is left of their whole: audio is cut first, then images, then writes.
    "image beyond the prompt": (
        native(**chat(100, 0, {"cached_tokens": 90, "image_tokens": 30}, {})),
        ((90, "0.1"), (10, "5")),
    ),
    "audio and image beyond the prompt": (
        native(**chat(100, 0, {"cached_tokens": 50, "image_tokens": 40, "audio_tokens": 40}, {})),
        ((50, "0.1"), (40, "5"), (10, "10")),
    ),
    "reasoning beyond the answer": (native(**chat(1, 10, {}, {"reasoning_tokens": 20})), ((1, "1"), (10, "4"))),
    "image beyond the answer": (native(**chat(1, 10, {}, {"image_tokens": 30})), ((1, "1"), (10, "40"))),
    "audio beyond reasoning and image": (
        native(**chat(1, 10, {}, {"reasoning_tokens": 4, "image_tokens": 5, "audio_tokens": 6})),
        ((1, "1"), (4, "4"), (5, "40"), (1, "20")),
    ),
    "an hour beyond all writes": (
        native(
            input_tokens=2,
            output_tokens=0,
            cache_creation_input_tokens=10,
            cache_creation={"ephemeral_1h_input_tokens": 30},
        ),
        ((2, "1"), (10, "2")),
    ),
    "LiteLLM, image and cached beyond the prompt": (
        litellm(72, 9, prompt_tokens_details={"cached_tokens": 36, "image_tokens": 40}),
        ((36, "0.1"), (36, "5"), (9, "4")),
    ),
    "Langfuse, cached modalities beyond the sent": (
        buckets(input=0, output=0, input_modality_TEXT=10, cached_modality_TEXT=40),
        ((10, "1"), (40, "0.1")),
    ),
}


@pytest.fixture(autouse=True)
def _prices() -> None:
    for token_class, usd in PRICES.items():
        make.price("m", token_class, usd)


def stored(acme: Organization, sent: tuple[str, object]) -> LLMRequest:
    name, record = sent
    body = record if isinstance(record, bytes) else json.dumps(record).encode()
    items = list(FORMATS[name].read(body))
    outcome = services.ingest(organization=acme, items=items, source="test", now=make.NOW, past_days=None)
    assert (outcome.accepted, outcome.rejected) == (1, [])
    return LLMRequest.objects.get()


def picodollars(lines: tuple[Line, ...]) -> int:
    return int(sum((tokens * Decimal(price) for tokens, price in lines), Decimal(0)) * 1_000_000)


@pytest.mark.parametrize("name", SOUND)
def test_the_cost_is_that_of_the_lines(acme: Organization, name: str) -> None:
    sent, lines = SOUND[name]
    fact = stored(acme, sent)
    assert (fact.cost, fact.list_cost, fact.cost_state) == (picodollars(lines), picodollars(lines), "computed")
    assert not fact.token_anomaly
    assert sum(tokens for tokens, _ in lines) == (fact.input_tokens or 0) + (fact.output_tokens or 0)


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_what_contradicts_itself_is_flagged_and_never_negative(acme: Organization, name: str) -> None:
    sent, lines = CONTRADICTORY[name]
    fact = stored(acme, sent)
    assert (fact.cost, fact.cost_state, fact.token_anomaly) == (picodollars(lines), "computed", True)
    assert (fact.usage is None) is (sent[0] == "csv"), "what was sent is kept where there is an object"


@pytest.mark.parametrize("column", [*TOKEN_FIELDS, *COSTS])
def test_the_database_refuses_what_is_negative(acme: Organization, column: str) -> None:
    stored(acme, SOUND["native, OpenAI chat"][0])
    columns = [str(field.column) for field in LLMRequest._meta.concrete_fields if not field.primary_key]
    values = {"request_id": "'b'", column: "-1"}
    insert = (
        f"INSERT INTO {LLMRequest._meta.db_table} ({', '.join(columns)}) SELECT %s FROM {LLMRequest._meta.db_table}"
    )
    with connection.cursor() as cursor:
        statement = insert % ", ".join(values.get(name, name) for name in columns)
        with pytest.raises(IntegrityError, match="not_negative"), transaction.atomic():
            cursor.execute(statement)
        with pytest.raises(IntegrityError, match="not_negative"), transaction.atomic():
            cursor.execute(f"UPDATE {LLMRequest._meta.db_table} SET {column} = -1")
        cursor.execute(statement.replace("-1", "0", 1))
    assert LLMRequest.objects.filter(**{column: 0}).exists()
