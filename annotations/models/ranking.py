"""Which images wait for a word on a tag, in two orders: a read model of stated age, built by `services.rankings`.

Suggestions lie one row an image, so that no index orders them by one tag's score; this does, for the first of each.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotations.models.project import Project
from annotations.models.tag import Tag


class TagRanking(models.Model):
    """`waiting`: images that suggest the tag and that nobody answered for it; `offered`: those above its threshold."""

    tag = models.OneToOneField(Tag, primary_key=True, on_delete=models.CASCADE, related_name="ranking")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    waiting = models.PositiveIntegerField()
    offered = models.PositiveIntegerField()
    # The first of them: highest score first, and nearest to even odds first.
    best_ids = ArrayField(models.BigIntegerField())
    uncertain_ids = ArrayField(models.BigIntegerField())


class RankingAge(models.Model):
    """When a project's rankings were built, and how long that took."""

    project = models.OneToOneField(Project, primary_key=True, on_delete=models.CASCADE, related_name="+")
    built_at = models.DateTimeField()
    seconds = models.FloatField()
