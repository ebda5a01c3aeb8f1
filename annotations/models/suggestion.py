"""What the live model says of an image: one row an image, replaced whole. Never a human fact."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotations.models.image import Image
from annotations.models.project import Project
from annotations.models.sources import SourcesField


class SuggestionSet(models.Model):
    """Parallel arrays, best first, at most 20. `sources[i]` lists what raised `tag_ids[i]`."""

    image = models.OneToOneField(
        Image, primary_key=True, on_delete=models.CASCADE, related_name="suggestion_set"
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    tag_ids = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    offered_ids = ArrayField(models.BigIntegerField())
    sources = SourcesField(default=list)
    calibrated = models.BooleanField(default=False)
    model_version_id = models.BigIntegerField(null=True)
    model_number = models.PositiveIntegerField(default=0)
    vocabulary_version = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)
