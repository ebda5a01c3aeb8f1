"""The stored order of images to ask about. `queue/next` reads it; filling and ranking happen elsewhere."""

from django.db import models

from annotations.models.image import Image
from annotations.models.project import Project

RANDOM = "random"
FRONT = "front"
"""Components that every project has: drawn with equal chances, and sent to the front by a person."""


class Stratum(models.TextChoices):
    """How an image was drawn; stored with the review, since statistics need it."""

    HOLDOUT = "holdout"
    RANDOM = "random"
    BLIND = "blind"
    ACTIVE = "active"


class QueueEntry(models.Model):
    """An image that still wants a review. `rank` orders the active stratum, small first."""

    image = models.OneToOneField(
        Image, primary_key=True, on_delete=models.CASCADE, related_name="queue_entry"
    )
    # Both orders below start with the project: an index of it alone would only make every new rank dearer.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    is_holdout = models.BooleanField()
    priority = models.IntegerField(default=0)
    rank = models.FloatField(default=0.0)
    # Where the order stood when the image joined it: what waits longer than that is as far away as it was.
    since = models.FloatField(default=0.0, db_default=0.0)
    shuffle = models.FloatField()
    reason = models.CharField(max_length=200, default="random")
    # Which strategy of the mixture brought it, and how often the active order draws it against equal chances.
    component = models.CharField(max_length=20, default=RANDOM, db_default=RANDOM)
    appeal = models.FloatField(default=1.0, db_default=1.0)
    for_reviewers = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "is_holdout", "-priority", "rank", "image"], name="queue_active_order"
            ),
            models.Index(fields=["project", "is_holdout", "shuffle", "image"], name="queue_random_order"),
        ]
