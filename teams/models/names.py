"""Names that traffic uses, and names that became another one."""

from typing import ClassVar

from django.db import models


class Named(models.Model):
    """Something that traffic names. One that was renamed or merged away stays as an alias of the one that is left.

    Aliases are never chained: what they are merged into is no alias itself.
    """

    NOUN: ClassVar[str]
    """What people call it; with underscores, the first part of its acts in the audit log."""

    name = models.CharField(max_length=256)
    claimed = models.BooleanField(default=True, help_text="Cleared while a name is known from traffic only.")
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        editable=False,
        related_name="aliases",
        help_text="Traffic with this name counts for that one.",
    )
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name
