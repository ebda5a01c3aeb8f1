"""How far the captions of a project have been read for proposals, with the counts so far."""

from django.db import models


class CaptionScan(models.Model):
    """Held by one conditional UPDATE that sets `claim` and `claimed_at`; a claim that went stale is free again."""

    project = models.OneToOneField(
        "annotations.Project", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    # Counts over the captions of images up to this id: compressed JSON of `core.language.census`.
    after_id = models.BigIntegerField(default=0)
    captions = models.PositiveIntegerField(default=0)
    counts = models.BinaryField(default=bytes)
    # Captions that have changed since they were counted.
    changed = models.PositiveIntegerField(default=0)
    # What the stored proposals were made from; another value means that they are due.
    made_from = models.CharField(max_length=100, blank=True)
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
