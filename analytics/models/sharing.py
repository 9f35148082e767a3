"""Rules by which costs that no team caused alone are split between teams."""

from django.db import models
from django.db.models import Q

from teams.models import Organization, Team, User, VirtualAccount


class SharingRule(models.Model):
    """How the costs of one source are split, from a month on until a later rule of the same source.

    No `account`: the source is what belongs to no team. One that is not `active` ends the sharing from its month on.
    Months that are closed keep what they were closed with (`Period.sharing`).
    """

    class Method(models.TextChoices):
        """In proportion to what."""

        EVEN = "even", "Even: the same for every team"
        USAGE = "usage", "By usage: in proportion to each team's own cost of the month"
        FIXED = "fixed", "Fixed: a percentage for each team"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sharing_rules")
    account = models.ForeignKey(
        VirtualAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="source"
    )
    method = models.CharField(max_length=8, choices=Method.choices)
    since = models.DateField(help_text="First day of the month from which on it holds.")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ["-since", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "account", "since"], name="one_rule_of_account_and_month"),
            models.UniqueConstraint(
                fields=["organization", "since"], condition=Q(account__isnull=True), name="one_rule_of_rest_and_month"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account or 'Unassigned'}, {self.method}, from {self.since:%Y-%m}"


class SharingTarget(models.Model):
    """A team that gets a share. A rule without any is for all teams; `hundredths` of a per cent are of fixed rules."""

    rule = models.ForeignKey(SharingRule, on_delete=models.CASCADE, related_name="targets")
    # A share cannot vanish with its team: the others would no longer add up to the whole.
    team = models.ForeignKey(Team, on_delete=models.RESTRICT, related_name="+")
    hundredths = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["team__name", "team_id"]
        constraints = [models.UniqueConstraint(fields=["rule", "team"], name="one_share_each")]

    def __str__(self) -> str:
        return f"{self.team} {self.hundredths / 100:.2f} %" if self.hundredths else str(self.team)
