"""OTLP/HTTP traces: spans of many instrumentations, one request per model call.

`protobuf` and `json_spans` decode bodies into `Span`; `choice` finds the one span of each call; `dialects` say in whose
words it is written.
"""

from ingestion.formats.otlp.body import OTLP_JSON, OTLP_PROTOBUF

__all__ = ["OTLP_JSON", "OTLP_PROTOBUF"]
