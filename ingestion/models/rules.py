"""What a person adds to the rules of the formats."""

from django.db import models

from teams.models import Organization


class AttributeRule(models.Model):
    """The value of a source's attribute becomes a field or a metadata key; of one target, the first rule speaks."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    attribute = models.CharField(
        max_length=256,
        help_text="As the source calls it: a span or resource attribute, a path in JSON such as metadata.department, "
        "a metadata key, a column.",
    )
    target = models.CharField(max_length=137, help_text="A field such as team, or metadata.KEY.")
    position = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "attribute mapping"
        constraints = [
            models.UniqueConstraint(fields=["organization", "attribute", "target"], name="attribute_rule_once"),
        ]

    def __str__(self) -> str:
        return f"“{self.attribute}” → {self.target}"
