"""How the bodies and files of an organization are read: its own rules beside those of the format."""

from ingestion.formats.mapping import Reading, Rule
from ingestion.models import AttributeRule


def reading_of(organization_id: int, *, keep_unknown: bool = False) -> Reading:
    """The reading as the rules are now: one indexed query, so that an edit holds from the next batch on, everywhere."""
    rows = AttributeRule.objects.filter(organization=organization_id).values_list("attribute", "target")
    return Reading(tuple(Rule(*row) for row in rows), keep_unknown)
