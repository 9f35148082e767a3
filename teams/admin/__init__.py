"""Administration of tenancy at `/admin/`, each person within the organizations they manage."""

from teams.admin import audit, keys, organizations, people, teams

__all__ = ["audit", "keys", "organizations", "people", "teams"]
