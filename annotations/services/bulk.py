"""One action on many images as a job: tags added and removed, images sent to the queue or to the trash.

What was chosen is frozen when the action is confirmed. Each step is one transaction that also moves the job on,
so that a killed worker's successor goes on where it stood and nothing is done twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction

from annotations.errors import BadInput, Conflict
from annotations.models import BulkJob, Decision, Image, JobState, Membership, Project
from annotations.permissions import allows, required_role
from annotations.selectors import access, arrays, image_filters, images, truth, vocabulary
from annotations.services import audit, image_edits, jobs, queue, tag_answers

STEP_IMAGES = 500
IDS_MAX = 100_000


@transaction.atomic
def start(
    membership: Membership,
    *,
    filter: Mapping[str, Any] | None = None,
    ids: Sequence[int] | None = None,
    add: Sequence[int | str] = (),
    remove: Sequence[int | str] = (),
    queue: bool = False,
    delete: bool = False,
    count: int | None = None,
) -> BulkJob:
    """Freeze the choice and store the job. Raises Conflict `count_changed` if it is not of `count` images."""
    project = membership.project
    require_roles(membership, delete=delete)
    add_ids, remove_ids = (
        list(dict.fromkeys(vocabulary.active_ids(project, words))) for words in (add, remove)
    )
    _refuse_nonsense(add_ids, remove_ids, queue, delete)
    chosen = choice(project, filter=filter, ids=ids)
    job = BulkJob.objects.create(
        project=project,
        actor=membership.user,
        filter=dict(filter or {}),
        add_ids=add_ids,
        remove_ids=remove_ids,
        queue=queue,
        delete_images=delete,
        returns_broken=allows(membership.role, "edit_images"),
    )
    _freeze(job, chosen.order_by("pk").values("pk"))
    if count is not None and job.total != count:
        raise Conflict(
            f"{job.total:,} images are meant by now, not {count:,}. Look at them again and confirm once more.",
            code="count_changed",
            count=job.total,
        )
    _record(job, "images.bulk")
    return job


@transaction.atomic
def undo(membership: Membership, done: BulkJob) -> BulkJob:
    """Store a job that takes an ended action back: its answers, its place in the queue, its way to the trash."""
    require_roles(membership, delete=done.delete_images)
    if done.undoes_id is not None or done.state not in (JobState.DONE, JobState.CANCELLED, JobState.FAILED):
        raise Conflict(
            f"The action is {done.state}: only what has ended can be taken back.", state=done.state
        )
    job, is_new = BulkJob.objects.get_or_create(
        undoes=done, defaults={"project": done.project, "actor": membership.user}
    )
    if not is_new:
        raise Conflict("The action was taken back already.", code="already_undone")
    _freeze(job, BulkJob.objects.filter(pk=done.pk).values("image_ids"))
    _record(job, "images.bulk_undo")
    return job


def cancel(membership: Membership, job: BulkJob) -> BulkJob:
    """Stop before the next step; what is done stays done, and can be taken back."""
    require_roles(membership, delete=job.delete_images)
    return jobs.request_cancel(
        job, actor_id=membership.user_id, action="images.bulk_cancel", images=job.total
    )


def put_away(job: BulkJob) -> None:
    BulkJob.objects.filter(pk=job.pk).update(is_put_away=True)


def require_roles(membership: Membership, *, delete: bool) -> None:
    """Reviewers answer tags and order the queue; deleting is for managers."""
    access.require_role(membership, required_role("edit_images" if delete else "verify"))


def choice(project: Project, *, filter: Mapping[str, Any] | None, ids: Sequence[int] | None) -> Any:
    """The images meant, by a filter or by ids; those in the trash or elsewhere are none."""
    if (filter is None) == (ids is None):
        raise BadInput("Send either `filter` (an object, {} for all images) or `ids`.", code="bad_choice")
    if filter is not None:
        image_filters.refuse_unknown(filter)
        return images.matching(project, image_filters.read(project, filter))
    assert ids is not None
    if len(ids) > IDS_MAX:
        raise BadInput(f"At most {IDS_MAX:,} ids at once, not {len(ids):,}; send a filter.", code="too_many")
    rows = Image.objects.filter(project=project, deleted_at=None)
    return rows.filter(arrays.among("id", ids))


def run(job: BulkJob) -> None:
    """Work through a claimed job's images, a step at a time, from where it stands."""
    step = _undo_step if job.undoes_id else _do_step
    while True:
        if jobs.is_to_stop(job):
            jobs.finish(job, JobState.CANCELLED)
            return
        if not _one_step(job, step):
            jobs.finish(job, JobState.DONE)
            return


@transaction.atomic
def _one_step(job: BulkJob, step: Callable[[BulkJob, list[Image]], int]) -> bool:
    """The next images, changed and counted in one transaction; False when none is left."""
    row = jobs.held(job)
    image_ids = row.image_ids[row.done : row.done + STEP_IMAGES]
    if not image_ids:
        return False
    found = Image.objects.filter(project_id=job.project_id, pk__in=image_ids)
    changed = step(job, list(found.select_for_update().order_by("pk")))
    result = {
        "changed": row.result.get("changed", 0) + changed,
        "left_out": row.result.get("left_out", 0) + len(image_ids) - changed,
    }
    jobs.beat(job, done=row.done + len(image_ids), result=result, attempts=1)
    return True


def _do_step(job: BulkJob, found: list[Image]) -> int:
    """Do what was asked to these images; returns how many it changed."""
    here = [image for image in found if image.deleted_at is None]
    if job.delete_images:
        assert job.started_at is not None
        image_edits.trash_many(job.project, here, at=job.started_at)
        return len(here)
    changed = _answer(job, here)
    if job.queue:
        changed |= queue.send_to_front(here, returns_broken=job.returns_broken)
    return len(changed)


def _undo_step(job: BulkJob, found: list[Image]) -> int:
    done = job.undoes
    assert done is not None
    if done.delete_images:
        back = [image for image in found if image.deleted_at == done.started_at]
        image_edits.restore_many(job.project, back)
        return len(back)
    changed = tag_answers.take_back_bulk(job.project, done, [image.pk for image in found], actor=job.actor)
    if done.queue:
        changed |= queue.take_from_front(found)
    return len(changed)


def _answer(job: BulkJob, here: list[Image]) -> set[int]:
    """Store the answers that are not given already; returns the images that got any."""
    if not (job.add_ids or job.remove_ids):
        return set()
    truths = truth.verdicts(job.project, [image.pk for image in here])
    answers = [
        *(
            (image, tag_id, Decision.Value.YES)
            for image in here
            for tag_id in job.add_ids
            if tag_id not in truths[image.pk].yes
        ),
        *(
            (image, tag_id, Decision.Value.NO)
            for image in here
            for tag_id in job.remove_ids
            if tag_id not in truths[image.pk].no
        ),
    ]
    tag_answers.store(job.project, job.actor, answers, bulk=job)
    return {image.pk for image, _, _ in answers}


def _freeze(job: BulkJob, chosen: Any) -> None:
    """Store the ids without their passing through here, and count them."""
    frozen = ArraySubquery(chosen) if chosen.model is Image else chosen
    BulkJob.objects.filter(pk=job.pk).update(image_ids=frozen)
    job.refresh_from_db(fields=["image_ids"])
    job.total = len(job.image_ids)
    job.save(update_fields=["total"])


def _refuse_nonsense(add: list[int], remove: list[int], queue: bool, delete: bool) -> None:
    if not (add or remove or queue or delete):
        raise BadInput(
            "Nothing to do: send `add`, `remove`, `queue: true` or `delete: true`.", code="nothing_to_do"
        )
    if set(add) & set(remove):
        raise BadInput("A tag stands under `add` and under `remove`; choose one.", code="contradiction")
    if delete and (add or remove or queue):
        raise BadInput(
            "`delete` stands alone: what goes to the trash is not tagged or asked.", code="contradiction"
        )


def _record(job: BulkJob, action: str) -> None:
    details = {
        "job": job.pk,
        "images": job.total,
        "filter": job.filter,
        "add": job.add_ids,
        "remove": job.remove_ids,
    }
    details |= {"queue": job.queue, "delete": job.delete_images, "undoes": job.undoes_id}
    audit.record(job.project_id, action, actor_id=job.actor_id, **details)
