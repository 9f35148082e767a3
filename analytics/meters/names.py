"""Names of ids, each looked up once."""

from typing import Any

from django.db.models import Model

from ingestion.models import LLMModel, VirtualModel
from teams.models import Team, VirtualAccount


class Names:
    """What the rows of an organization are called."""

    def __init__(self) -> None:
        self._found: dict[tuple[type[Model], int], Any] = {}

    def team(self, pk: int | None) -> str | None:
        """A team."""
        return None if pk is None else str(self._named(Team, pk, "name")[0])

    def account(self, pk: int | None) -> str | None:
        """A virtual account."""
        return None if pk is None else str(self._named(VirtualAccount, pk, "name")[0])

    def virtual_model(self, pk: int | None) -> str | None:
        """A virtual model."""
        return None if pk is None else str(self._named(VirtualModel, pk, "name")[0])

    def model(self, pk: int | None) -> tuple[str, str]:
        """Provider and model; empty = unknown."""
        return ("", "") if pk is None else self._named(LLMModel, pk, "provider", "name")

    def _named(self, table: type[Model], pk: int, *columns: str) -> Any:  # noqa: ANN401 - as many texts as columns
        key = (table, pk)
        if key not in self._found:
            self._found[key] = table._default_manager.values_list(*columns).get(pk=pk)
        return self._found[key]
