"""One training job. The row is its truth: a Celery message only says "look"."""

from django.db import models
from django.db.models import Q

from annotations.models.job import Job, JobState
from annotations.types import SnapshotRef
from mlmodels.models.feature import Extractor


class TrainingRun(Job):
    class Kind(models.TextChoices):
        HEAD = "head", "the light head over cached features"
        FINETUNE = "finetune", "the backbone, and a head over its new features"

    class Trigger(models.TextChoices):
        POLICY = "policy"
        PERSON = "person"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HEAD)
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.PERSON)
    stage = models.CharField(max_length=20, blank=True)
    seed = models.PositiveIntegerField(default=0)
    # The extractor whose features it reads; None for the one that suggestions read when it starts.
    extractor = models.ForeignKey(Extractor, null=True, on_delete=models.SET_NULL, related_name="+")

    # {"snapshot": {"id", "name", "sha256"}} for one that learns what a snapshot says instead of the present answers;
    # {"finetune": {"stages", "epochs", "loss"}} for one that tunes the backbone.
    options = models.JSONField(default=dict)
    # How far fine-tuning is: {"device", "phase", "done", "total", "left_s", "curve": [...], "notes": [...], "at_work"}.
    tuning = models.JSONField(default=dict)

    unit = "stages"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind"],
                condition=Q(state=JobState.RUNNING),
                name="one_running_run_a_project",
            ),
            models.UniqueConstraint(
                fields=["project", "kind"],
                condition=Q(state=JobState.QUEUED),
                name="one_queued_run_a_project",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(kind="finetune", state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="one_open_finetune_a_project",
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="run_by_project")]

    @property
    def memory_remedy(self) -> str:
        if self.kind != self.Kind.FINETUNE:
            return super().memory_remedy
        return "Choose a smaller batch or fewer stages, or give the worker more memory."

    def __str__(self) -> str:
        return f"training run {self.pk}"

    @property
    def snapshot(self) -> SnapshotRef | None:
        """The snapshot that it learns from; None for the present answers."""
        asked = self.options.get("snapshot")
        return SnapshotRef(**asked) if asked else None
