"""The dataset of a project as it was at one moment, kept as a file."""

from django.db import models

from annotations.models.job import Job


class Snapshot(Job):
    """A frozen version. `sha256` covers contents alone, so that equal ones have the same wherever they were made."""

    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, blank=True)
    images = models.BigIntegerField(null=True)
    # Yes, explicit no and disputed verdicts in it.
    decisions = models.BigIntegerField(null=True)
    vocabulary_version = models.PositiveIntegerField(null=True)
    file_key = models.CharField(max_length=200, blank=True)

    unit = "images"

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="snapshot_listing")]

    def __str__(self) -> str:
        return self.name
