"""One person's short exclusive hold on one image, with the record of what was handed out."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from annotations.models.image import Image
from annotations.models.project import Project


class Lease(models.Model):
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="leases")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    # Open until it is reviewed, released, or found expired by the next claim or the sweep.
    is_open = models.BooleanField(default=True)
    mode = models.CharField(max_length=10)
    why = models.CharField(max_length=200)
    blind = models.BooleanField()
    stratum = models.CharField(max_length=10)
    component = models.CharField(max_length=20, blank=True)
    # The chance with which its slot drew it, and among how many; null where chance had no part in it.
    probability = models.FloatField(null=True)
    waiting = models.PositiveIntegerField(null=True)
    shown = models.JSONField(default=list)
    offered_ids = ArrayField(models.BigIntegerField(), default=list)
    # What a blind item would have offered: never shown, it measures what offering does to people.
    withheld_ids = ArrayField(models.BigIntegerField(), default=list)
    calibrated = models.BooleanField(default=False)
    model_version_id = models.BigIntegerField(null=True)
    model_number = models.PositiveIntegerField(default=0)
    vocabulary_version = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image"], condition=Q(is_open=True), name="one_lease_an_image")
        ]
        indexes = [
            models.Index(fields=["project", "user"], name="lease_open_by_user", condition=Q(is_open=True)),
            models.Index(fields=["expires_at"], name="lease_open_expiry", condition=Q(is_open=True)),
        ]
