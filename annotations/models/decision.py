"""One stored verdict of one tag on one image. Append-only: a trigger refuses updates (migration 0002).

An answer to one tag alone that is taken back counts as never made, as an undone review does; its row stays.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.image import Image
from annotations.models.project import Project
from annotations.models.review import Review
from annotations.models.tag import Tag
from annotations.models.verified_page import VerifiedPage

# Answers that somebody gave to one tag of one image, alone or by a bulk action; `VerifiedPage` has the grid's.
GIVEN_ALONE = Q(review=None, verified_page=None, source="person")


class Decision(models.Model):
    class Value(models.TextChoices):
        YES = "yes"
        NO = "no"

    class Scope(models.TextChoices):
        IMAGE = "image", "part of a review of the whole image"
        TAG = "tag", "an answer to this tag alone"
        ADJUDICATION = "adjudicate", "a reviewer's last word"

    class Source(models.TextChoices):
        PERSON = "person"
        IMPORT = "import"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    # The indexes below start with image and tag: others of these alone would only make every decision dearer.
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    review = models.ForeignKey(Review, null=True, on_delete=models.CASCADE, related_name="decisions")
    # The page of the grid that it was confirmed with; where that was taken back, the decision counts as never made.
    verified_page = models.ForeignKey(
        VerifiedPage, null=True, db_index=False, on_delete=models.CASCADE, related_name="decisions"
    )
    value = models.CharField(max_length=3, choices=Value)
    scope = models.CharField(max_length=10, choices=Scope)
    source = models.CharField(max_length=10, choices=Source, default=Source.PERSON)
    # The suggestion that was shown for this tag, if one was: {"score", "offered", "sources"}.
    suggestion = models.JSONField(null=True)
    model_number = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The action on many images that it was part of.
    bulk = models.ForeignKey(
        "annotations.BulkJob", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["image", "id"], name="decision_by_image"),
            models.Index(fields=["tag", "id"], name="decision_by_tag"),
            models.Index(
                fields=["verified_page"],
                condition=Q(verified_page__isnull=False),
                name="decision_by_verified_page",
            ),
            # When somebody last answered; imports, which may be millions, are in neither.
            models.Index(fields=["project", "-created_at"], condition=GIVEN_ALONE, name="alone_by_time"),
            models.Index(
                fields=["project", "-undone_at"],
                condition=GIVEN_ALONE & Q(undone_at__isnull=False),
                name="alone_by_undo",
            ),
        ]
