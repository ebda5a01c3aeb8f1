"""A version written as a file to take away: one job each. The row is its truth: a Celery message only says "look"."""

from django.db import models
from django.db.models import Q

from annotations.models.job import Job, JobState
from mlmodels.models.version import ModelVersion


class ModelExport(Job):
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="exports")
    file_key = models.CharField(max_length=200, blank=True)

    unit = "stages"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="one_open_export_a_version",
            )
        ]
        indexes = [models.Index(fields=["project", "-id"], name="model_export_by_project")]

    def __str__(self) -> str:
        return f"file {self.pk} of {self.version}"
