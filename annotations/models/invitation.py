"""A link by which one person joins a project, with or without an account before. Its token is stored hashed."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.project import Project, Role

NOTE_MAX_CHARS = 100


class Invitation(models.Model):
    """Open until it is used, taken back or expired; then it stays as a row."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role)
    # Whom it is for, in the inviter's words.
    note = models.CharField(max_length=NOTE_MAX_CHARS, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "-id"],
                name="invitation_open",
                condition=Q(used_at=None, revoked_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"
