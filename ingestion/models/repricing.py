"""Runs of repricing: what was asked, how far it is, what came of it."""

from django.db import models

from teams.models import Organization, User


class RepriceRun(models.Model):
    """A preview, and if somebody confirmed it, the change of the stored costs.

    Every chunk commits together with the place it reached and its sums, so a run that was killed goes on where it
    stopped, whoever goes on with it. The place: everything until `cursor_at`, `cursor_id` is done, and of the window
    behind it, which ends at `window_at`, `window_id`, so many parts. Names are text: the run outlives a renaming.
    """

    class State(models.TextChoices):
        """`previewing -> previewed -> applying -> applied`; a run that cannot go on has stopped."""

        PREVIEWING = "previewing", "preview is being made"
        PREVIEWED = "previewed", "preview, nothing changed yet"
        APPLYING = "applying", "is being applied"
        APPLIED = "applied", "applied"
        STOPPED = "stopped", "stopped"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    start = models.DateTimeField(help_text="Requests that started at this instant or later.")
    end = models.DateTimeField(help_text="Requests that started before this instant.")
    model = models.CharField(max_length=256, blank=True, help_text="Model; empty: all.")
    virtual_model = models.CharField(max_length=256, blank=True, help_text="Virtual model; empty: all.")
    team = models.CharField(max_length=256, blank=True, help_text="Team; empty: all.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why; it goes into the audit log.")
    price_book_version = models.BigIntegerField(help_text="It grows with every price and term.")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEWING)
    expected = models.BigIntegerField(default=0, help_text="Requests to look at, when it began.")
    cursor_at = models.DateTimeField(null=True)
    cursor_id = models.BigIntegerField(default=0)
    window_at = models.DateTimeField(null=True)
    window_id = models.BigIntegerField(default=0)
    part = models.SmallIntegerField(default=0)
    preview = models.JSONField(default=dict, help_text="Sums of the preview.")
    result = models.JSONField(default=dict, help_text="Sums of what was changed.")
    trouble = models.CharField(max_length=300, blank=True, help_text="What there is to know about its end.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "repricing"
        verbose_name_plural = "repricings"
        indexes = [models.Index(fields=["state", "updated_at"], name="reprice_run_waiting")]

    def __str__(self) -> str:
        return f"repricing {self.pk}"
