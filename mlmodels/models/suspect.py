"""Human answers that the live version doubts, ranked anew by each version; and those that people looked at again.

What people said stays where it is: fixing or keeping an answer is a decision like any other.
"""

from django.db import models

from mlmodels.models.version import ModelVersion


class SuspectKind(models.TextChoices):
    WRONG = "wrong", "a yes that is likely wrong"
    MISSING = "missing", "a no where a yes is likely missing"


class SuspectList(models.Model):
    """Whose scores ranked a project's suspects, when their answers were read, and how long it took."""

    project = models.OneToOneField(
        "annotations.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()
    seconds = models.FloatField(default=0.0)


class Suspect(models.Model):
    """One answer; `rank` 1 is the likeliest mistake of its kind. The rows of a project are replaced together."""

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey("annotations.Image", on_delete=models.CASCADE, related_name="+")
    tag = models.ForeignKey("annotations.Tag", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=SuspectKind)
    rank = models.PositiveIntegerField()
    # What the version says of the tag, by a fit that had not seen the image.
    score = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "image", "tag"], name="suspected_once"),
        ]
        indexes = [models.Index(fields=["project", "kind", "rank"], name="suspect_by_rank")]


class SuspectCheck(models.Model):
    """Somebody looked at a suspect and answered: while the decision stands and the answer is the same, it is right."""

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey("annotations.Image", on_delete=models.CASCADE, related_name="+")
    tag = models.ForeignKey("annotations.Tag", on_delete=models.CASCADE, related_name="+")
    decision = models.OneToOneField("annotations.Decision", on_delete=models.CASCADE, related_name="+")
    # What was shown.
    kind = models.CharField(max_length=10, choices=SuspectKind)
    score = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "image", "tag"], name="suspect_checked")]
