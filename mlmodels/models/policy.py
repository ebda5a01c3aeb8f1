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
    # When the backbone is tuned by itself: five fields of cron in UTC, and after so many reviews; neither by default.
    finetune_cron = models.CharField(max_length=100, blank=True)
    finetune_cron_since = models.DateTimeField(null=True, blank=True)
    finetune_every_reviews = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(1_000_000)])


class AskingPolicy(models.Model):
    """What part of the active order each strategy fills, in percent; the rest is drawn at random.

    A project without a row has these defaults. A strategy that does not beat random on photographs is not among them:
    docs/learning.md, “Choosing what to ask”.
    """

    project = models.OneToOneField(
        "annotations.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    uncertain = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    diverse = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    rare = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    disagreement = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    uncertain__lte=90 - models.F("diverse") - models.F("rare") - models.F("disagreement")
                ),
                name="asking_leaves_to_chance",
                violation_error_message="At least a tenth is left to chance: the four shares add up to 90 at most.",
            )
        ]

    @property
    def random(self) -> int:
        """The percentage that is drawn at random."""
        return 100 - self.uncertain - self.diverse - self.rare - self.disagreement


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
