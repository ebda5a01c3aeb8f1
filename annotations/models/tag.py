"""The vocabulary: tags, their aliases and the spans of vocabulary versions in which each was active."""

import unicodedata

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from annotations.models.project import Project


def name_key(name: str) -> str:
    """Two names are the same tag when their keys are equal: NFC, case-folded, spaces collapsed."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", name).split()).casefold())


def trigrams(key: str) -> list[str]:
    """Three-letter pieces of a key, padded at both ends: what typo-tolerant search compares.

    Kept in a column, since the embedded PostgreSQL comes without pg_trgm.
    """
    padded = f"  {key} "
    return sorted({padded[i : i + 3] for i in range(len(padded) - 2)})


class Tag(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=400)
    trigrams = ArrayField(models.CharField(max_length=3), default=list)
    description = models.TextField(blank=True)
    hotkey = models.CharField(max_length=1, null=True, blank=True)  # noqa: DJ001 (unique where present)
    colour = models.CharField(max_length=20, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    # In the trash since then, retired too. What was merged into a deleted tag lies there with it.
    deleted_at = models.DateTimeField(null=True, blank=True)
    # The tag that this one was merged into, when, and the vocabulary version from which on it is part of that tag.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged"
    )
    merged_at = models.DateTimeField(null=True, blank=True)
    merged_version = models.PositiveIntegerField(null=True, blank=True)
    # The tag that was split into this one and others.
    split_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="parts"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="tag_name_unique_in_project"),
            models.UniqueConstraint(fields=["project", "hotkey"], name="tag_hotkey_unique_in_project"),
        ]
        indexes = [
            models.Index(
                fields=["project", "key"],
                name="tag_key_prefix",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            GinIndex(fields=["trigrams"], name="tag_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name

    def set_name(self, name: str) -> None:
        """Set the name and what is derived from it."""
        self.name, self.key = name, name_key(name)
        self.trigrams = trigrams(self.key)


class TagAlias(models.Model):
    """Another word for a tag. `project` stands here too, so that the key is unique in it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=400)
    trigrams = ArrayField(models.CharField(max_length=3), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="alias_unique_in_project")]
        indexes = [
            models.Index(
                fields=["project", "key"],
                name="alias_key_prefix",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            GinIndex(fields=["trigrams"], name="alias_trigrams"),
        ]


class TagPeriod(models.Model):
    """A tag was active in vocabulary versions `since <= v < until`; a null `until` means still active."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="periods")
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)
