"""One picture with its caption and metadata. The bytes lie in storage under their sha256."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from annotations.models.project import Project

CAPTION_MAX_CHARS = 200_000


class Image(models.Model):
    class State(models.TextChoices):
        PENDING = "pending"
        REVIEWED = "reviewed"
        DISPUTED = "disputed"
        UNSURE = "unsure"
        BROKEN = "broken"
        REMOVED = "removed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="images")
    sha256 = models.CharField(max_length=64)
    phash = models.BigIntegerField()
    name = models.CharField(max_length=255)
    path = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=20)
    format = models.CharField(max_length=10)
    storage_key = models.CharField(max_length=120)
    size_bytes = models.BigIntegerField()
    # The stored bytes may be shown as they are: upright, a format of browsers, no position to hide.
    shows_as_is = models.BooleanField(default=False)
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    caption = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    is_holdout = models.BooleanField()
    holdout_probability = models.FloatField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    priority = models.IntegerField(default=0)
    # Rises with caption, metadata or a counted review; never with suggestions, features or leases.
    revision = models.PositiveIntegerField(default=1)
    reviews_done = models.PositiveSmallIntegerField(default=0)
    # A stable hash of sha256 in [0, 1): random order that is the same tomorrow.
    shuffle = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "sha256"], name="image_once_in_project")]
        indexes = [
            models.Index(
                fields=["project", "-deleted_at", "-id"],
                name="image_trash",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["deleted_at"], name="image_trashed_at", condition=Q(deleted_at__isnull=False)
            ),
            models.Index(fields=["project", "id"], name="image_listing", condition=Q(deleted_at=None)),
            models.Index(
                fields=["project", "state", "id"], name="image_by_state", condition=Q(deleted_at=None)
            ),
            models.Index(
                fields=["project", "-priority", "id"], name="image_by_priority", condition=Q(deleted_at=None)
            ),
            models.Index(
                fields=["project", "shuffle", "id"], name="image_shuffled", condition=Q(deleted_at=None)
            ),
            models.Index(
                fields=["project", "is_holdout", "id"], name="image_by_side", condition=Q(deleted_at=None)
            ),
            # Tables of an import name images that are here already.
            models.Index(fields=["project", "name"], name="image_by_name", condition=Q(deleted_at=None)),
            GinIndex(SearchVector("caption", config="simple"), name="image_caption_words"),
        ]

    def __str__(self) -> str:
        return self.name
