"""Half-open ranges of absolute time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`[start, end)` of aware instants, kept in UTC. Raises ValueError for naive or reversed borders."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Normalise to UTC and refuse what is not a range."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a range needs instants with an offset")
        if self.start > self.end:
            raise ValueError("a range ends after it starts")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def length(self) -> timedelta:
        """End minus start."""
        return self.end - self.start

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.length.total_seconds()

    def previous(self) -> "TimeRange":
        """The range of the same length directly before this one."""
        return TimeRange(self.start - self.length, self.start)

    def clip(self, other: "TimeRange") -> "TimeRange | None":
        """The part of this range inside `other`, None when they do not meet."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return TimeRange(start, end) if start < end else None

    def __contains__(self, instant: datetime) -> bool:
        """Whether the instant lies in the half-open range."""
        return self.start <= instant < self.end
