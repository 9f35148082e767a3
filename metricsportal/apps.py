"""The project as an application: what has to be looked at in every process."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from metricsportal import durability


class PortalConfig(AppConfig):
    """Looks at every new connection to the database."""

    name = "metricsportal"

    def ready(self) -> None:
        """Begin to look."""
        connection_created.connect(durability.check, dispatch_uid="durability")
