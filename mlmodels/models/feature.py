"""What an extractor saw in an image, computed once. Captions have no rows: reading them is fast."""

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
