"""Which models a row of the price book or of its terms speaks of. Pure."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

ANY_PROVIDER: Final = "*"
_RANKS: Final = {"exact": 2, "prefix": 1}


class Pattern(NamedTuple):
    """A provider id or `*`, how a model's name is compared, and with what; all in lower case."""

    provider: str
    match_kind: str
    model_match: str

    def matches(self, provider: str, model: str) -> bool:
        """Whether it speaks of that model (lower case) of that provider ("" = unknown)."""
        if self.provider not in (ANY_PROVIDER, provider):
            return False
        if self.match_kind == "exact":
            return self.model_match == model
        if self.match_kind == "prefix":
            return model.startswith(self.model_match)
        return _glob(self.model_match).fullmatch(model) is not None

    @property
    def preference(self) -> tuple[int, int, bool]:
        """Sort key: exact, then the longest prefix, then the longest glob; a named provider before `*`."""
        return _RANKS.get(self.match_kind, 0), len(self.model_match), self.provider != ANY_PROVIDER


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` is any text and `?` any character; nothing else is special."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character) or re.escape(character) for character in pattern), re.DOTALL)
