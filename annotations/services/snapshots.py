"""Snapshots: freeze a project's dataset under a name, compare two, remove one."""

from functools import partial

from django.db import transaction
from django.db.models import Q

from annotations.errors import BadInput, Conflict, NotFound, Refused
from annotations.exporters import comparing
from annotations.exporters.comparing import Comparison
from annotations.models import ExportJob, JobState, Project, Snapshot, User
from annotations.models.job import FINISHED_STATES
from annotations.numbers import whole_number
from annotations.selectors import export_rows
from annotations.services import audit, freezing, garbage, jobs, storage

NAME_MAX_CHARS = 200


@transaction.atomic
def start(project: Project, *, actor: User | None, name: str) -> Snapshot:
    """Store the job of freezing what holds when a worker begins. Raises BadInput for a name that is none."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX_CHARS:
        raise BadInput(f"name: expected 1 to {NAME_MAX_CHARS} characters, got {len(name)}.", code="bad_name")
    snapshot = Snapshot.objects.create(project=project, actor=actor, name=name)
    audit.record(project.pk, "snapshots.create", actor_id=snapshot.actor_id, snapshot=snapshot.pk, name=name)
    return snapshot


def find(project: Project, word: str) -> Snapshot:
    """The snapshot of this id or name; of several of a name the newest. Raises NotFound."""
    number = whole_number(word)
    named = Q(name=word) if number is None else Q(name=word) | Q(pk=number)
    snapshot = Snapshot.objects.filter(named, project=project).order_by("-pk").first()
    if snapshot is None:
        raise NotFound(f"This project has no snapshot “{word}”.")
    return snapshot


def run(snapshot: Snapshot) -> None:
    """Freeze a claimed snapshot. Whoever dies on the way, or finds the disk full, leaves no file under its name."""
    assert snapshot.claim is not None
    key = storage.snapshot_key(snapshot.project_id, snapshot.pk, snapshot.claim)
    total = export_rows.count(snapshot.project, freezing.ALL)
    jobs.beat(snapshot, total=total)
    try:
        with garbage.only_of_new_objects():
            facts = freezing.keep(snapshot.project, key, on_step=partial(jobs.beat, snapshot))
    except OSError as error:
        jobs.finish(snapshot, JobState.FAILED, reason=storage.unwritten(error, "frozen"))
        return
    try:
        with transaction.atomic():
            jobs.held(snapshot)
            Snapshot.objects.filter(pk=snapshot.pk).update(
                sha256=facts.sha256,
                images=facts.images,
                decisions=facts.answers,
                vocabulary_version=facts.vocabulary_version,
                file_key=key,
                done=facts.images,
                total=facts.images,
            )
            jobs.finish(snapshot, JobState.DONE)
    except jobs.ClaimLost:
        storage.delete(key)
        raise


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    """What happened from one to the other. Reads both files once, a row of each in memory."""
    for snapshot in (before, after):
        if not snapshot.file_key:
            raise Refused(
                f"“{snapshot.name}” is {snapshot.state}: only what is frozen can be compared.",
                code="not_frozen",
            )
    if before.sha256 == after.sha256:
        return Comparison(same=before.images or 0)
    lines = (freezing.opened(snapshot.file_key)[0].lines() for snapshot in (before, after))
    return comparing.compare(*lines)


@transaction.atomic
def remove(snapshot: Snapshot, *, actor: User) -> None:
    """Remove a snapshot and its file; exports that were made of it stay. Raises Conflict while one reads it."""
    if snapshot.state not in (*FINISHED_STATES, JobState.QUEUED):
        raise Conflict("The snapshot is being frozen: wait until it is done.", code="is_running")
    if ExportJob.objects.filter(snapshot=snapshot).exclude(state__in=FINISHED_STATES).exists():
        raise Conflict("An export reads this snapshot: wait until it is done, or cancel it.", code="in_use")
    key, details = snapshot.file_key, {"name": snapshot.name, "sha256": snapshot.sha256}
    audit.record(snapshot.project_id, "snapshots.remove", actor_id=actor.pk, snapshot=snapshot.pk, **details)
    snapshot.delete()
    transaction.on_commit(lambda: storage.delete(key))
