"""Files as task queue for one machine, without torn messages.

Kombu's transport creates a message's file before it writes into it; a worker that looks in between reads nothing and
dies of it. Here a message appears complete or not at all, and one that cannot be read is dropped: it was a wake-up.
"""

import logging
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Kombu's channel with atomic writes and forgiving reads."""

    # The override is ignored because the base classes name the second argument differently.
    def _put(self, queue: str, message: Any, **_: object) -> None:  # type: ignore[override]  # noqa: ANN401
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        # The reader takes files by what follows their first dot, so it does not see drafts.
        draft = Path(self.data_folder_out, f".{name}")
        draft.write_text(dumps(message))
        draft.rename(draft.with_name(name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ANN401 - whatever kombu sent
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:  # its file is gone by now
                logger.warning("Dropped a message that cannot be read: %s", error)


class Transport(filesystem.Transport):
    """Kombu's transport with this module's channel."""

    Channel = Channel


def register() -> None:
    """Make `filesystem://` mean this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
