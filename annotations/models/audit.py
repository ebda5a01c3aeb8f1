"""Who did what to a project, and which requests were stored already (for `client_id`)."""

from django.conf import settings
from django.db import models

from annotations.models.project import Project


class AuditEvent(models.Model):
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="audit_events")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=60)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["project", "actor", "-id"], name="audit_by_actor"),
        ]


class StoredRequest(models.Model):
    """The answer to a POST that carried a `client_id`: the same one again gets it back."""

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    client_id = models.UUIDField()
    body_sha256 = models.CharField(max_length=64)
    answer = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "client_id"], nulls_distinct=False, name="request_stored_once"
            )
        ]
