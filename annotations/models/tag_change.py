"""What was done to a tag, and what it needs to be taken back. Append-only but for `undone_at`."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from annotations.models.project import Project
from annotations.models.tag import Tag


class TagChange(models.Model):
    class Kind(models.TextChoices):
        EDIT = "edit", "change"
        RETIRE = "retire", "retirement"
        MERGE = "merge", "merge"
        SPLIT = "split", "split"
        DELETE = "delete", "deletion"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tag_changes")
    kind = models.CharField(max_length=10, choices=Kind)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="changes")
    # This tag, and the one that it was merged into or those that it was split into: each of them remembers the change.
    tag_ids = ArrayField(models.BigIntegerField())
    # What stood before, as the service of the kind wrote it down for its own undo.
    before = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="tag_change_by_project"),
            GinIndex(fields=["tag_ids"], name="tag_change_by_tag"),
        ]
