"""Long work as rows: the row is the truth, a Celery message only a nudge. Imports, exports, bulk actions."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotations.models.image import Image
from annotations.models.project import Project


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)
FINISHED_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.REFUSED)


class Job(models.Model):
    """Claimed by one conditional UPDATE that sets `claim` and `heartbeat_at`; a stale heartbeat frees it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    errors = models.JSONField(default=list)
    result = models.JSONField(default=dict)
    claim = models.UUIDField(null=True)
    # Claims since the last progress: work that kills its worker every time is given up, not tried for ever.
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    unit = "items"

    class Meta:
        abstract = True

    @property
    def memory_remedy(self) -> str:
        """What helps where its worker's memory does not suffice."""
        return "Give the worker more memory."


class ImportJob(Job):
    source = models.CharField(max_length=20)
    options = models.JSONField(default=dict)

    unit = "images"


class ImportItem(models.Model):
    """One image of an import, staged with its words until a worker has stored or refused it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ADDED = "added"
        UPDATED = "updated"
        DUPLICATE = "duplicate"
        REFUSED = "refused"

    # The index below starts with it.
    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="items", db_index=False)
    name = models.CharField(max_length=1000)
    # Where the bytes wait: a key of the staging storage, a file of an allowed server folder, an address, or a stored
    # image.
    staged_key = models.TextField()
    caption = models.TextField(null=True)  # noqa: DJ001 (null: not given, which is not an empty caption)
    # What the file itself says: it fills an empty caption, and never replaces one.
    file_caption = models.TextField(blank=True)
    tags = models.JSONField(default=list)
    # Tags that somebody said do not apply.
    no = models.JSONField(default=list)
    # Tags on which people disagree, and those that nobody was asked about before a complete item was finished.
    disputed = models.JSONField(default=list)
    not_asked = models.JSONField(default=list)
    # The side that it was on elsewhere; null: it is drawn as ever.
    is_holdout = models.BooleanField(null=True)
    metadata = models.JSONField(default=dict)
    # Of another model: {"model": its name, "scores": {tag: score}}, or nothing.
    suggestions = models.JSONField(default=dict)
    complete = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    image = models.ForeignKey(Image, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["job", "state", "id"], name="import_item_by_state")]


class ExportJob(Job):
    format = models.CharField(max_length=40)
    # What was frozen earlier; without one, what holds when the job begins.
    snapshot = models.ForeignKey(
        "annotations.Snapshot", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    filter = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    with_pictures = models.BooleanField(default=False)
    file_key = models.CharField(max_length=200, blank=True)

    unit = "images"


class BulkJob(Job):
    """One action on many images of the gallery. `done` counts the images of `image_ids` that have been seen to."""

    # What was chosen when the action was confirmed: images that fit the filter later are not touched.
    image_ids = ArrayField(models.BigIntegerField(), default=list)
    filter = models.JSONField(default=dict)
    add_ids = ArrayField(models.BigIntegerField(), default=list)
    remove_ids = ArrayField(models.BigIntegerField(), default=list)
    queue = models.BooleanField(default=False)
    delete_images = models.BooleanField(default=False)
    # Broken images go back into the queue by a manager's hand only.
    returns_broken = models.BooleanField(default=False)
    undoes = models.OneToOneField("self", null=True, on_delete=models.CASCADE, related_name="undone_by")
    # Somebody has read what it did: the gallery says no more of it.
    is_put_away = models.BooleanField(default=False)

    unit = "images"
