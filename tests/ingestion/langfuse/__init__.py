"""Langfuse's own ingestion batch."""
