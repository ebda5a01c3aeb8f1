"""Words of captions that could enter the vocabulary, and what people decided. The model's side finds them."""

from django.conf import settings
from django.db import models

from annotations.models.project import Project
from annotations.models.tag import Tag


class Proposal(models.Model):
    """A word as a new tag, or as another word for `tag`. Nothing follows from it until somebody adopts it.

    `result_tag` is the tag that adopting made or extended: it stays when adopting is taken back, so that the word can
    be adopted again. A dismissed proposal stays as a row, so that it is never made again.
    """

    class Kind(models.TextChoices):
        TAG = "tag", "a tag of its own"
        ALIAS = "alias", "another word for a tag"

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="proposals")
    kind = models.CharField(max_length=5, choices=Kind)
    text = models.CharField(max_length=200)
    key = models.CharField(max_length=400)
    tag = models.ForeignKey(Tag, null=True, on_delete=models.CASCADE, related_name="+")
    # Captions that have the word, and the proposal's place among all of its making: small first.
    captions = models.PositiveIntegerField(default=0)
    rank = models.PositiveIntegerField(default=0)
    # {rule, share, lift, precision, lower, support, examples: [{image, start, end, text}]}
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    result_tag = models.ForeignKey(Tag, null=True, on_delete=models.SET_NULL, related_name="+")
    # The word as it went into the vocabulary; empty while nothing did.
    result_word = models.CharField(max_length=200, blank=True)
    result_kind = models.CharField(max_length=5, choices=Kind, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "key", "tag"], nulls_distinct=False, name="proposal_once"
            )
        ]
        indexes = [models.Index(fields=["project", "state", "rank", "id"], name="proposal_listing")]

    def __str__(self) -> str:
        return self.text


class CaptionProgress(models.Model):
    """How many of a project's captions have been read for proposals; written by whoever reads them."""

    project = models.OneToOneField(Project, primary_key=True, on_delete=models.CASCADE, related_name="+")
    read = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # When the proposals were last brought up to date; null before the first time.
    finished_at = models.DateTimeField(null=True)
    is_reading = models.BooleanField(default=False)
