"""A post office, and settings that send the mail there."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.chargeback.postoffice import Doors, PostOffice


@pytest.fixture
def office(settings: Settings) -> Iterator[PostOffice]:
    """A mail server that accepts everything unless a test says otherwise."""
    office = PostOffice()
    doors = Doors(office)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = doors.hostname, doors.port
    settings.PORTAL_URL = "https://portal.example"
    doors.start()
    yield office
    doors.stop()
