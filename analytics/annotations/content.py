"""What somebody says of an event, field by field, so that everything wrong is told at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from analytics.models import Annotation
from analytics.query.parsing import is_relative, parse_instant
from analytics.query.values import InvalidQueryError, Problem

KINDS: Final = tuple(Annotation.Kind.values)
FIELDS: Final = ("kind", "at", "end", "text", "link", "team", "external_id")
MAX_TEXT: Final = 200
MAX_LINK: Final = 500
MAX_EXTERNAL_ID: Final = 120
_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Note:
    """A checked event. `moving`: instants that were told as of now, so that a second telling says another one."""

    kind: str
    at: datetime
    end: datetime | None
    text: str
    link: str
    team: str | None
    external_id: str | None
    moving: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Reader:
    """Reads one field after the other and collects problems."""

    sent: Mapping[str, object]
    now: datetime
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, name: str, code: str, message: str, allowed: tuple[str, ...] = ()) -> None:
        self.problems.append(Problem((name,), code, message, allowed))

    def text(self, name: str, most: int) -> str:
        """A text of characters that can be seen; "" where there is none."""
        value = self.sent.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(name, "invalid_type", f"{name} is a text.")
            return ""
        value = value.strip()
        if len(value) > most or not value.isprintable():
            self.wrong(name, "invalid_value", f"{name} has at most {most} characters, all of which can be seen.")
            return ""
        return value

    def instant(self, name: str) -> datetime | None:
        value = self.sent.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "invalid_type", f"{name} is an instant such as 2026-11-01T14:30:00Z, or now.")
            return None
        try:
            return parse_instant(value, self.now, (name,))
        except InvalidQueryError as error:
            self.problems.extend(error.problems)
            return None

    def kind(self) -> str:
        value = self.sent.get("kind")
        if isinstance(value, str) and value in KINDS:
            return value
        code = "required" if value is None else "unknown_value"
        self.wrong("kind", code, f"kind is one of {', '.join(KINDS)}.", KINDS)
        return ""

    def words(self) -> str:
        before = len(self.problems)
        text = self.text("text", MAX_TEXT)
        if not text and len(self.problems) == before:
            self.wrong("text", "required", f"text says what happened, in 1 to {MAX_TEXT} characters.")
        return text

    def link(self) -> str:
        text = self.text("link", MAX_LINK)
        if text and not is_web_address(text):
            self.wrong("link", "invalid_value", "link is an address that begins with https:// or http://.", _SCHEMES)
        return text


def parse(sent: Mapping[str, object], now: datetime) -> Note:
    """The event that was sent; without `at` it happened now. Raises InvalidQueryError with every problem."""
    reader = _Reader(sent, now)
    at, end = reader.instant("at"), reader.instant("end")
    note = Note(
        kind=reader.kind(),
        at=at or now,
        end=end,
        text=reader.words(),
        link=reader.link(),
        team=reader.text("team", 256) or None,
        external_id=reader.text("external_id", MAX_EXTERNAL_ID) or None,
        moving=frozenset(name for name in ("at", "end") if _is_moving(name, sent.get(name))),
    )
    if end is not None and not reader.problems and end <= note.at:
        reader.wrong("end", "invalid_range", "end is later than at.")
    if reader.problems:
        raise InvalidQueryError(reader.problems)
    return note


def _is_moving(name: str, value: object) -> bool:
    return name == "at" if value is None else isinstance(value, str) and is_relative(value)


def is_web_address(text: str) -> bool:
    """Whether a link may be offered to whoever reads the note: nothing that runs, or hides where it leads."""
    if any(character.isspace() or character == "\\" for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
