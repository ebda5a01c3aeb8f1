"""Projects and who belongs to them."""

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """Roles contain one another: `rank` orders them."""

    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    @property
    def article(self) -> str:
        return "an" if self.value[0] == "a" else "a"

    @property
    def with_article(self) -> str:
        """As a sentence says it: “a reviewer”, “an admin”."""
        return f"{self.article} {self.value}"


class Project(models.Model):
    class Unmarked(models.TextChoices):
        NO = "no", "no: a finished review answers every active tag"
        UNKNOWN = "unknown", "unknown: only explicit answers count"

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True)
    reviews_per_image = models.PositiveSmallIntegerField(default=1)
    extractor = models.CharField(max_length=200, default="tf_efficientnet_lite0")
    holdout_percent = models.PositiveSmallIntegerField(default=15)
    caption_language = models.CharField(max_length=10, default="en")
    unmarked = models.CharField(max_length=10, choices=Unmarked, default=Unmarked.NO)
    keep_gps = models.BooleanField(default=False)
    # Raised by each tag created, retired, revived or merged: says which tags a review answered.
    vocabulary_version = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(holdout_percent__lte=50), name="project_holdout_at_most_half"
            ),
            models.CheckConstraint(
                condition=models.Q(reviews_per_image__gte=1), name="project_wants_a_review"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="member_once_in_project")]
