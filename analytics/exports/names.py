"""Names of files that leave the portal."""

import re

from teams.access import Scope
from teams.models import Organization


def file_name(subject: str, scope: Scope, days: str, extension: str) -> str:
    """`metrics_acme_2026-10-01_2026-10-31.csv`; nothing in it can end a header or leave a folder."""
    slug = Organization.objects.values_list("slug", flat=True).get(pk=scope.organization_id)
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{subject}_{slug}_{days}.{extension}")
