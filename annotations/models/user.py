"""The person who signs in. What they may do in a project is a `Membership`, not a field here."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    preferences = models.JSONField(default=dict, blank=True)

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
