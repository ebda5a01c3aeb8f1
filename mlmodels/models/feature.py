"""What an extractor saw in an image, computed once. What was read in captions: `caption.py`."""

from django.db import models
from pgvector.django import HalfVectorField


class Extractor(models.Model):
    """A backbone with its weights: `name` is what a project asks for, `key` names the weights too."""

    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, unique=True)
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key


class ProjectExtractor(models.Model):
    """How far a project is with the extractor that its settings ask for; suggestions may still read another one."""

    project = models.OneToOneField(
        "annotations.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    # What the settings asked for when a worker last looked, and since when.
    name = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    # As it loads here; None until it has loaded once. `problem` says why it does not.
    extractor = models.ForeignKey(Extractor, null=True, on_delete=models.SET_NULL, related_name="+")
    problem = models.CharField(max_length=1_000, blank=True)
    tried_at = models.DateTimeField(null=True)
    # When it had looked at every image for the first time.
    complete_at = models.DateTimeField(null=True)
    # What suggestions read while no version is live, and why new images cannot be looked at by what is read.
    serving = models.ForeignKey(Extractor, null=True, on_delete=models.SET_NULL, related_name="+")
    serving_problem = models.CharField(max_length=1_000, blank=True)

    def __str__(self) -> str:
        return self.name


class ImageFeature(models.Model):
    """One row an image and extractor. A picture that would not load keeps its error instead of vectors."""

    project = models.ForeignKey("annotations.Project", on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey("annotations.Image", on_delete=models.CASCADE, related_name="+")
    extractor = models.ForeignKey(Extractor, on_delete=models.CASCADE, related_name="+")
    # Without a dimension here, since extractors differ; the index of each extractor casts it.
    vector = HalfVectorField(null=True)
    class_probabilities = HalfVectorField(dimensions=1000, null=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "extractor"], name="feature_once"),
            models.CheckConstraint(
                condition=models.Q(vector__isnull=False) | ~models.Q(error=""), name="feature_or_error"
            ),
        ]
        indexes = [models.Index(fields=["project", "extractor", "image"], name="feature_of_project")]
