"""Langfuse's own ingestion batch: events about observations and traces, merged into one record per call.

`events` reads a batch without its payloads; `merging` folds what several events say, in any order; `record` makes the
canonical record; `words` is shared with Langfuse's spans. https://api.reference.langfuse.com
"""

from ingestion.formats.langfuse.events import Event, Found, read
from ingestion.formats.langfuse.merging import State, merge, value_of
from ingestion.formats.langfuse.record import record_of

__all__ = ["Event", "Found", "State", "merge", "read", "record_of", "value_of"]
