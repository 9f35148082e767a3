"""Calls of which Langfuse's batches tell piece by piece, kept until each can become one fact.

`taking` merges a batch into two tables, in the transaction that its answer speaks of; `settling` sends what is due
through ingest, which alone decides what becomes of it: settling again after a crash finds a duplicate; `purging` keeps
the tables small; `receiving` is all of it for one batch.
"""

from ingestion.observations.receiving import Answer, receive
from ingestion.observations.settling import settle_due

__all__ = ["Answer", "receive", "settle_due"]
