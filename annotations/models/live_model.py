"""What annotations knows of the model: numbers written here by `mlmodels`, no foreign key to its tables."""

from django.db import models

from annotations.models.project import Project


class LiveModel(models.Model):
    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="live_model"
    )
    version_id = models.BigIntegerField(null=True)
    number = models.PositiveIntegerField(default=0)
    provisional = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict)
    # {tag id: {"f1", "threshold", "support", "needed"}}
    tags = models.JSONField(default=dict)
    # How many trainable decisions and reviews the newest judged version has read.
    read_decisions = models.BigIntegerField(default=0)
    read_reviews = models.BigIntegerField(default=0)
    # {"version", "verdict", "reasons"} of the newest judged version, promoted or not.
    last_candidate = models.JSONField(null=True)
    published_at = models.DateTimeField(null=True)
