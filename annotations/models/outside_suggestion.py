"""What a model that is none of ours says of an image. Shown until a head of ours has looked; never a human fact."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotations.models.image import Image


class OutsideSuggestion(models.Model):
    """Parallel arrays, best first, at most 20; one row for each model, replaced whole."""

    # The constraint's index starts with the image.
    image = models.ForeignKey(
        Image, on_delete=models.CASCADE, related_name="outside_suggestions", db_index=False
    )
    # Its name with its version, as the sender wrote it.
    model = models.CharField(max_length=100)
    tag_ids = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "model"], name="outside_suggestion_once_a_model")
        ]
