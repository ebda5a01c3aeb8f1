"""What is read in a caption, computed once. The captions themselves stay with their images."""

from django.db import models
from pgvector.django import HalfVectorField


class CaptionFeature(models.Model):
    """One row a text and encoder: equal captions share it, and a changed caption finds none and is read again."""

    encoder = models.CharField(max_length=100)
    caption_sha256 = models.CharField(max_length=64)
    vector = HalfVectorField()  # without a dimension, since encoders differ
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "caption_sha256"], name="caption_feature_once")
        ]


class CaptionReading(models.Model):
    """What the language pipeline read in an image's caption, as JSON; `key` names caption, vocabulary and reader."""

    image = models.OneToOneField(
        "annotations.Image", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=32)
    reading = models.TextField()
