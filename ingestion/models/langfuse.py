"""What Langfuse's batches have said so far about calls and traces; emptied again, never a source of figures."""

from django.db import models

from teams.models import ApiKey, Organization


class LangfuseObservation(models.Model):
    """One call to a model, put together from events of several batches until it can become a fact.

    Afterwards it stays for a while, so that an event that is repeated is known to be one.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Whose batch spoke of it last.",
    )
    observation_id = models.CharField(max_length=128)
    trace_id = models.CharField(max_length=128, default="", blank=True)
    state = models.JSONField(default=dict, help_text="What is said, field by field; never what people or models wrote.")
    trace_state = models.JSONField(null=True, help_text="What was said of its trace when it became a fact.")
    touched_at = models.DateTimeField(help_text="When a batch spoke of it last, or when it became a fact.")
    due_at = models.DateTimeField(null=True, help_text="When it becomes a fact; empty: it is one.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "observation_id"], name="langfuse_observation_once_per_organization"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "trace_id"], name="langfuse_observation_of_trace"),
            models.Index(fields=["organization", "due_at"], name="langfuse_observation_due"),
        ]

    def __str__(self) -> str:
        return self.observation_id


class LangfuseTrace(models.Model):
    """Who caused the calls of a trace, and what else is said of all of them."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    trace_id = models.CharField(max_length=128)
    state = models.JSONField(default=dict, help_text="What is said, field by field; never what people or models wrote.")
    touched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "trace_id"], name="langfuse_trace_once_per_organization"),
        ]
        indexes = [models.Index(fields=["organization", "touched_at"], name="langfuse_trace_touched")]

    def __str__(self) -> str:
        return self.trace_id
