"""Which format a file has is told by its content."""

import gzip
import io
import json
from typing import Any

import pytest

from ingestion.formats import FORMATS, detect
from ingestion.formats.head import head_of
from tests.ingestion.exports.rows import CSV, PROMPT, SAMPLES, as_csv, as_lines
from tests.ingestion.test_litellm import payload

NATIVE = {"request_id": "r", "started_at": "2026-11-23T09:23:10Z", "model": "m"}
SPANS: dict[str, Any] = {"resourceSpans": []}
ROWS: dict[str, dict[str, Any]] = {name: sample() for name, sample in SAMPLES.items()} | {
    "litellm": payload(),
    "otlp": SPANS,
    "native": NATIVE,
}
BODIES = (
    [(name, as_lines(row, row)) for name, row in ROWS.items()]
    + [(name, json.dumps([row], indent=1).encode()) for name, row in ROWS.items()]
    + [(name, as_csv(ROWS[name])) for name in CSV]
    + [("csv", b"request_id,timestamp\n")]
)


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_every_format_is_recognised_by_itself_alone(name: str, body: bytes) -> None:
    for content in (body, b"\xef\xbb\xbf\r\n" + body):
        assert detect(io.BytesIO(content)).name == name
        others = [one.name for one in FORMATS.values() if one.recognises(head_of(content))]
        assert others == ([] if name in ("native", "csv") else [name])
    with gzip.open(io.BytesIO(gzip.compress(body))) as unzipped:
        assert detect(unzipped).name == name  # type: ignore[arg-type]
        assert unzipped.read() == body  # and the file is at its start again


@pytest.mark.parametrize("name", [name for name in ROWS if name != "native"])
def test_names_inside_values_do_not_mislead(name: str) -> None:
    hidden = {"prompt": json.dumps(ROWS[name]), "metadata": ROWS[name], "list": [ROWS[name]]}
    assert detect(io.BytesIO(json.dumps(NATIVE | hidden).encode())).name == "native"


def test_names_may_stand_behind_a_long_prompt() -> None:
    body = as_lines({"note": PROMPT * 10_000} | SAMPLES["helicone"]())
    assert detect(io.BytesIO(body)).name == "helicone"


@pytest.mark.parametrize(
    ("beginning", "names"),
    [
        (b'{"a": 1, "b', {"a"}),
        (b'{"a": "\\', {"a"}),
        (b'{"a": "{\\"x\\": 1}", "b": {"c": 1}, "d": [{"e": 1}], "f":', {"a", "b", "d", "f"}),
        (b'[{"a": true}, {"b": 1}]', {"a"}),
        (b"[", set()),
        (b"[[1]]", set()),
        (b'a,"b,c"\r\nd\n', {"a", "b,c"}),
        (b"", set()),
    ],
)
def test_heads(beginning: bytes, names: set[str]) -> None:
    assert head_of(beginning).names == names
