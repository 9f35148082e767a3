"""What an export of another product is, and the format made of it: the same rows as JSON and as CSV."""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from ingestion.formats import csv_file, json_body
from ingestion.formats.base import Format, MalformedError
from ingestion.formats.exports.row import Row
from ingestion.formats.head import Head
from ingestion.formats.mapping import Reading, extend, is_payload
from ingestion.formats.values import metadata_of, shortened
from ingestion.normalisation import GATEWAY_CACHE, failed
from ingestion.pipeline import Item
from ingestion.records import TOKEN_FIELDS, Operation, RequestRecord

_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of one product.

    `signatures`: sets of columns, one of which a file has; `reads`: the columns that `record` asks for; `drops`:
    columns with prompts, answers or addresses of people, which nobody can ask to be kept. `record` returns None for a
    row that is no call to a model. `spelling` gives a column the name under which it is read.
    """

    name: str
    product: str
    signatures: tuple[tuple[str, ...], ...]
    reads: frozenset[str]
    record: Callable[[Row], RequestRecord | None]
    drops: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset({""})
    spelling: Callable[[str], str] = str

    def recognises(self, head: Head) -> bool:
        """Whether a file that begins so holds such rows."""
        return any(head.has(*signature) for signature in self.signatures)

    def read(self, values: Mapping[str, Any], reading: Reading) -> RequestRecord | None:
        """The record of a row, None for one that is no call. Raises RejectedError."""
        spelt = values if self.spelling is str else {self.spelling(name): value for name, value in values.items()}
        row = Row(spelt, self.reads, self.absent)
        record = self.record(row)
        if record is not None:
            _forget_zeros(record)
            extend(record, reading, lambda: row.unknown(self.drops), lambda path: self._look_up(row, path))
        return record

    def _look_up(self, row: Row, path: str) -> Any:  # noqa: ANN401 - any JSON
        name, dot, rest = path.partition(".")
        return row.look_up(f"{self.spelling(name)}{dot}{rest}", self.drops)


def json_format(export: Export) -> Format:
    """The format of rows in a JSON array, or one per line."""

    def decode(value: Any, reading: Reading) -> RequestRecord | None:  # noqa: ANN401 - bytes, or plain values
        return export.read(json_body.members(value), reading)

    return json_body.format_of(export.name, decode, export.recognises)


def any_format(export: Export) -> Format:
    """The format of rows as JSON and as CSV, told apart by the first byte."""
    as_json, as_csv = json_format(export), _csv_format(export)

    def of_body(body: bytes, reading: Reading) -> Iterator[Item]:
        return of_file(io.BytesIO(body), reading)

    def of_file(file: BinaryIO, reading: Reading) -> Iterator[Item]:
        beginning = file.read(1024).lstrip(_BLANK)
        file.seek(0)
        return (as_json if beginning.startswith((b"{", b"[")) else as_csv).read_file(file, reading)

    return Format(export.name, of_body, of_file, export.recognises)


def _csv_format(export: Export) -> Format:
    def check(header: Sequence[str], _: Reading) -> None:
        if not export.recognises(Head(False, frozenset(header))):
            expected = " or ".join(", ".join(signature) for signature in export.signatures)
            raise MalformedError(f"This is not {export.product}: expected are the columns {expected}", line=1)

    def decode(_: Sequence[str], cells: csv_file.Cells, reading: Reading) -> RequestRecord | None:
        return export.read(cells, reading)

    return csv_file.format_of(export.name, check, decode)


def _forget_zeros(record: RequestRecord) -> None:
    """Zeros that a failed call shows where nothing was counted are unknown."""
    if failed(record) and not record.input_tokens and not record.output_tokens:
        for field in TOKEN_FIELDS:
            setattr(record, field, None)


def metadata(*, hit: bool, **values: Any) -> dict[str, str]:
    """What people attached to a request, cut to what can be stored, without prompts; `hit` marks a gateway cache hit.

    Objects are taken apart by one level, other values keep their name.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    texts = metadata_of({name: value for name, value in flat.items() if not is_payload(name)})
    return shortened(texts | ({GATEWAY_CACHE: "hit"} if hit else {}), first=GATEWAY_CACHE)


def include_cache(record: RequestRecord, total: int | None) -> None:
    """Add the cached tokens to the input where the row's own total shows that they are counted beside it."""
    cached = (record.cache_read_tokens or 0) + (record.cache_write_tokens or 0)
    plain = (record.input_tokens or 0) + (record.output_tokens or 0)
    if cached and record.input_tokens is not None and total == plain + cached:
        record.input_tokens += cached


_ENDINGS: Final = {
    Operation.CHAT: r"chat/completions|messages|responses|converse(?:-stream)?|(?:stream)?[gG]enerateContent",
    Operation.TEXT_COMPLETION: r"completions",
    Operation.EMBEDDINGS: r"embeddings|(?:batchE|e)mbedContents?",
    Operation.RERANK: r"rerank",
    Operation.IMAGE_GENERATION: r"images/(?:generations|edits|variations)",
    Operation.TRANSCRIPTION: r"audio/(?:transcriptions|translations)",
    Operation.SPEECH: r"audio/speech",
    Operation.MODERATION: r"moderations",
}
_PATHS: Final = {operation: re.compile(rf"(?:^|[/:])(?:{ending})/?$") for operation, ending in _ENDINGS.items()}


def operation_of(address: str | None) -> str | None:
    """The operation behind a path or address; None for one that is no call to a model. Its query is not looked at."""
    path = (address or "").partition("?")[0]
    return next((operation.value for operation, ending in _PATHS.items() if ending.search(path)), None)


def said_operation(address: str | None) -> str:
    """The same where every row is a call: a path that we do not know is another operation, none is a chat."""
    return operation_of(address) or (Operation.OTHER if address else Operation.CHAT).value
