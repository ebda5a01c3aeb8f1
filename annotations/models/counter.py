"""Kept counts. Writers append increments; a sweep folds them, so that no hot row serialises reviewers."""

from django.db import models

from annotations.models.project import Project


class Counter(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="counter_once")]


class CounterIncrement(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    delta = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["project", "name"], name="increment_by_counter")]
