"""One person's pass over one image. Append-only but for `undone_at`: an undone review stays as a row."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.image import Image
from annotations.models.lease import Lease
from annotations.models.project import Project


class Review(models.Model):
    class Outcome(models.TextChoices):
        REVIEWED = "reviewed"
        SKIPPED = "skipped"
        UNSURE = "unsure"
        BROKEN = "broken"

    class Source(models.TextChoices):
        PERSON = "person"
        IMPORT = "import"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reviews")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="reviews")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    lease = models.ForeignKey(Lease, null=True, on_delete=models.SET_NULL, related_name="reviews")
    client_id = models.UUIDField(null=True)
    body_sha256 = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    source = models.CharField(max_length=10, choices=Source, default=Source.PERSON)
    # False for an answer that came too late to count: kept, but it answers nothing.
    counted = models.BooleanField(default=True)
    seconds = models.FloatField(null=True)
    keystrokes = models.PositiveIntegerField(null=True)
    # From the key that answered the image before to this one's picture on screen, as the browser measured it.
    picture_ms = models.PositiveIntegerField(null=True)
    blind = models.BooleanField(default=False)
    stratum = models.CharField(max_length=10, blank=True)
    component = models.CharField(max_length=20, blank=True, default="", db_default="")
    # As in its lease.
    probability = models.FloatField(null=True)
    waiting = models.PositiveIntegerField(null=True)
    model_version_id = models.BigIntegerField(null=True)
    model_number = models.PositiveIntegerField(default=0)
    vocabulary_version = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "client_id"],
                condition=Q(client_id__isnull=False),
                name="review_sent_once",
            )
        ]
        indexes = [
            models.Index(fields=["project", "user", "-created_at"], name="review_by_person"),
            models.Index(fields=["project", "-created_at"], name="review_by_time"),
            models.Index(
                fields=["project", "-undone_at"], condition=Q(undone_at__isnull=False), name="review_by_undo"
            ),
        ]
