"""What can be asked of a FOCUS file, as a value and as plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

from analytics.catalog.dimensions import METADATA_PREFIX
from analytics.exports.focus.columns import VERSIONS
from analytics.meters.frozen import midnight
from analytics.meters.values import Grain
from metricsportal.lib.timerange import TimeRange

INCLUDE: Final = "include"
EXCLUDE: Final = "exclude"
FORMATS: Final = ("csv", "ndjson", "parquet")
"""Formats in which the rows stand alone and texts are as they are."""
ACCOUNT: Final = "virtual_account"
VIRTUAL_MODEL: Final = "virtual_model"


@dataclass(frozen=True, slots=True)
class FocusQuestion:
    """UTC days, both inclusive; what rows are told apart by; whether those without a price are in it."""

    first: date
    last: date
    version: str = VERSIONS[0]
    dimensions: tuple[str, ...] = ()
    unpriced: str = INCLUDE

    @property
    def period(self) -> TimeRange:
        """From midnight UTC to midnight UTC."""
        return TimeRange(midnight(self.first), midnight(self.last + timedelta(days=1)))

    @property
    def grain(self) -> Grain:
        """The same as the meters are read by."""
        tags = (name.removeprefix(METADATA_PREFIX) for name in self.dimensions if name.startswith(METADATA_PREFIX))
        return Grain(ACCOUNT in self.dimensions, VIRTUAL_MODEL in self.dimensions, tuple(tags))

    @property
    def days(self) -> str:
        """For the names of files."""
        return f"{self.first}_{self.last}"

    def to_json(self) -> dict[str, Any]:
        """By names."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "version": self.version,
            "dimensions": list(self.dimensions),
            "unpriced": self.unpriced,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(
            date.fromisoformat(value["first"]),
            date.fromisoformat(value["last"]),
            value["version"],
            tuple(value["dimensions"]),
            value["unpriced"],
        )
