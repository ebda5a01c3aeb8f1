"""A remark about one image that somebody should look at, with the answers to it. Says nothing about tags."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.image import Image
from annotations.models.project import Project

COMMENT_MAX_CHARS = 2_000


class Flag(models.Model):
    """Open until a reviewer resolves it; a resolved one can be opened again. It never moves the image."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="flags")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="flags")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="flags"
    )
    comment = models.TextField(max_length=COMMENT_MAX_CHARS)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="flag_open", condition=Q(resolved_at=None)),
            models.Index(
                fields=["project", "-id"], name="flag_resolved", condition=Q(resolved_at__isnull=False)
            ),
            models.Index(fields=["project", "author", "-id"], name="flag_by_author"),
        ]

    def __str__(self) -> str:
        return self.comment


class FlagComment(models.Model):
    """An answer under a flag."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(max_length=COMMENT_MAX_CHARS)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.text
