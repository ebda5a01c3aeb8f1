"""Images that look like copies of one another, as pairs that hang together in groups, and what a manager decided."""

from django.conf import settings
from django.db import models

from annotations.models.image import Image
from annotations.models.project import Project


class DuplicateGroup(models.Model):
    """Images tied by pairs. It asks for a decision while two or more of them are not in the trash.

    `kept`: all stay, and the same pairs are never asked about again. Joining leaves a group open: with one image left
    it asks nothing, and one that comes back from the trash, or a further copy, is asked about again.
    """

    class State(models.TextChoices):
        OPEN = "open"
        KEPT = "kept"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # What the last join did, to take it back: {kept, trashed, decisions, caption, revision}; empty when there is none.
    joined = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["project", "state", "id"], name="duplicates_by_state")]


class NearPair(models.Model):
    """Two images, the one with the lower id first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(DuplicateGroup, on_delete=models.CASCADE, related_name="pairs")
    first = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+")
    # Of 64 bits of their perceptual hashes, so many differ: where `mirrored`, once one of them is mirrored.
    bits = models.PositiveSmallIntegerField()
    mirrored = models.BooleanField(default=False)
    # Cosine distance of their features, in [0, 2]; null where they have none yet.
    distance = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="near_pair_once")]
        indexes = [models.Index(fields=["project", "group"], name="near_pair_of_project")]


class DuplicateScan(models.Model):
    """How far a project has been searched, by ids of images: by hash alone, and with the help of features."""

    project = models.OneToOneField(Project, primary_key=True, on_delete=models.CASCADE, related_name="+")
    hashed_to = models.BigIntegerField(default=0)
    measured_to = models.BigIntegerField(default=0)
