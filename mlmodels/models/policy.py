"""When a project retrains by itself, and the ledger of why it did or did not."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlmodels.models.run import TrainingRun


class TrainingPolicy(models.Model):
    """A project without a row has these defaults."""

    project = models.OneToOneField(
        "annotations.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    every_reviews = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    at_most_every_seconds = models.FloatField(
        default=10.0, validators=[MinValueValidator(0.0), MaxValueValidator(604_800.0)]
    )
    after_quiet_seconds = models.FloatField(
        default=3.0, validators=[MinValueValidator(0.0), MaxValueValidator(604_800.0)]
    )
    paused = models.BooleanField(default=False)


class PolicyCheck(models.Model):
    """One line of the ledger, written when the answer changes."""

    class Outcome(models.TextChoices):
        RAN = "ran"
        WAITED = "waited"
        REFUSED = "refused"

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome)
    code = models.CharField(max_length=30)
    reason = models.CharField(max_length=300)
    run = models.ForeignKey(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="ledger_by_project")]
