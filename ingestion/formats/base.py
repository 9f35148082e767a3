"""What a wire format is, and how one says that a body cannot be read at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ingestion.formats.head import Head
from ingestion.formats.mapping import PLAIN, Reading
from ingestion.pipeline import Item


class MalformedError(ValueError):
    """The body cannot be decoded (400): nothing of it is stored. `line` and `column` count from 1, `byte` from 0."""

    def __init__(
        self, reason: str, *, byte: int | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        place = [f"line {line}"] if line else []
        place += [f"column {column}"] if column else []
        place += [f"byte {byte}"] if byte is not None else []
        super().__init__(f"{reason} ({', '.join(place)})." if place else f"{reason}.")
        self.byte, self.line, self.column = byte, line, column


class TooManyError(ValueError):
    """The body holds more records than one batch may (413); found before they are in memory."""


class UnsupportedError(ValueError):
    """The body is readable but of a kind that no record can be made from (422); the message says what to change."""


@dataclass(frozen=True, slots=True)
class Format:
    """One wire format: `of_body` takes a body in memory, `of_file` reads piece by piece where the format allows it.

    `recognises`: whether a file that begins so is of this format; what no format recognises is read as our own.
    """

    name: str
    of_body: Callable[[bytes, Reading], Iterator[Item]]
    of_file: Callable[[BinaryIO, Reading], Iterator[Item]]
    recognises: Callable[[Head], bool] = lambda _: False

    def read(self, body: bytes, reading: Reading = PLAIN) -> Iterator[Item]:
        """Index and record, or index and why there is none. Raises MalformedError, UnsupportedError."""
        return self.of_body(body, reading)

    def read_file(self, file: BinaryIO, reading: Reading = PLAIN) -> Iterator[Item]:
        """The same of a file."""
        return self.of_file(file, reading)
