"""A post office, and settings that send the mail there."""

from tests.chargeback.conftest import office

__all__ = ["office"]
