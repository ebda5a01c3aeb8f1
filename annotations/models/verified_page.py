"""A confirmed page of the grid: answers about one tag on several images, given at once, and taken back at once.

Append-only but for `undone_at`: what was taken back stays as a row, and so do its decisions.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.project import Project
from annotations.models.tag import Tag


class VerifiedPage(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Its answers, counted: each is one decision.
    yes = models.PositiveIntegerField()
    no = models.PositiveIntegerField()
    # How long the page was in front of the person; null where nobody measured.
    seconds = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="verified_by_time"),
            models.Index(
                fields=["project", "-undone_at"],
                condition=Q(undone_at__isnull=False),
                name="verified_by_undo",
            ),
        ]
