"""Requests of LLM gateways: from the wire to immutable, priced facts."""
