"""The learning curve of a version: fits on fewer images, one point a fit, and what they foretell."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from mlmodels.models.version import ModelVersion


class LearningForecast(models.Model):
    """Kept with the version that it was begun for; its points come one by one, and then what they say."""

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="forecast")
    # Images that may be learnt from; and those that judge every point, of the holdout or set aside from the former.
    images = models.PositiveIntegerField()
    judged_on = models.CharField(max_length=10)
    judged_ids = ArrayField(models.BigIntegerField())
    # [{images, draw, tags: {tag id: average precision}}]
    points = models.JSONField(default=list)
    # {now, images, tags, exponent, expected: [{images, more, value, lower, upper, ...}], points: [[images, value]]}
    overall = models.JSONField(default=dict)
    # {tag id: {now, value, lower, upper, ..., would_help}} at twice the images
    tags = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="forecast_by_project")]
