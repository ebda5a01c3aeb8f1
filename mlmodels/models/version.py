"""A trained head with metrics, lineage and the gate's verdict. Which one is live stands in annotations."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from mlmodels.models.feature import Extractor
from mlmodels.models.run import TrainingRun


class ModelVersion(models.Model):
    class Verdict(models.TextChoices):
        PROMOTED = "promoted"
        PROVISIONAL = "provisional"
        REFUSED = "refused"

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    # One version a run: a run that is delivered twice cannot make two.
    run = models.OneToOneField(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="version")
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    extractor = models.ForeignKey(Extractor, on_delete=models.PROTECT, related_name="+")
    # Below the model folder; the manifest beside the tensors repeats what is here.
    artifact = models.CharField(max_length=200)
    artifact_sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=12, choices=Verdict)
    reasons = models.JSONField(default=list)
    # What the gate compared, so that its reasons can be worked out again.
    details = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    # {tag id: {precision, recall, f1, average_precision, support, threshold, ...}}
    tag_metrics = models.JSONField(default=dict)
    # {calibration, precision_recall}: points to draw.
    curves = models.JSONField(default=dict)
    tag_ids = ArrayField(models.BigIntegerField())
    vocabulary_version = models.PositiveIntegerField()
    trained_images = models.PositiveIntegerField()
    trained_reviews = models.BigIntegerField()
    trained_decisions = models.BigIntegerField()
    # Reviewed holdout images when it was judged.
    holdout_images = models.PositiveIntegerField(default=0)
    # What it was trained from, where that was a snapshot: its id, name and sha256, and what of it was left out.
    snapshot = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)
    seed = models.PositiveIntegerField(default=0)
    activated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"version {self.number}"
