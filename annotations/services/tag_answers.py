"""Answers to one tag alone, stored and taken back: what gallery, grid, suspects and bulk actions have in common.

They never make an image reviewed. One that is taken back counts as never made; its row stays.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import BulkJob, Decision, Image, Project, User, VerifiedPage
from annotations.selectors import arrays, merges, truth, vocabulary
from annotations.services import counters, disputes
from annotations.signals import reviews_changed, send_on_commit

ALONE, LAST_WORD = Decision.Scope.TAG, Decision.Scope.ADJUDICATION
ANSWERS = ("yes", "no")


def refuse_other(value: str) -> None:
    """Raises BadInput `bad_answer` for what is neither yes nor no."""
    if value not in ANSWERS:
        raise BadInput(f"`answer` is yes or no, not “{value[:40]}”.", code="bad_answer")


def store(
    project: Project,
    actor: User | None,
    answers: Sequence[tuple[Image, int, str]],
    *,
    bulk: BulkJob | None = None,
    scope: Decision.Scope = ALONE,
) -> list[Decision]:
    """Append answers (image, tag, value); call inside a transaction. The caller has checked images and tags.

    An answer to what has a last word is a last word itself, since nothing else outranks one.
    """
    if not answers:
        return []
    settled = _settled(project, [image.pk for image, _, _ in answers])
    stored = Decision.objects.bulk_create(
        Decision(
            project=project,
            image=image,
            tag_id=tag_id,
            user=actor,
            value=value,
            scope=LAST_WORD if (image.pk, tag_id) in settled else scope,
            bulk=bulk,
        )
        for image, tag_id, value in answers
    )
    take_effect(project, stored, trainable=sum(not image.is_holdout for image, _, _ in answers))
    return stored


def take_effect(project: Project, stored: Sequence[Decision], *, trainable: int) -> None:
    """What follows from answers that were just stored: kept counts, the news, and the state of their images."""
    _count(project, decisions=len(stored), trainable=trainable)
    disputes.settle_answered(
        project,
        {decision.image_id for decision in stored},
        {decision.tag_id for decision in stored},
        new=[decision.pk for decision in stored],
    )


def _settled(project: Project, image_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Images and tags on which a last word stands."""
    rows = Decision.objects.filter(truth.NOT_TAKEN_BACK, arrays.among("image_id", image_ids), scope=LAST_WORD)
    found = list(rows.values_list("image_id", "tag_id"))
    if not found:
        return set()
    standing = merges.of_project(project)
    return {(image_id, standing.survivor(tag_id)) for image_id, tag_id in found}


@transaction.atomic
def answer(
    project: Project,
    image: Image,
    word: int | str,
    value: str,
    *,
    actor: User,
    scope: Decision.Scope = ALONE,
) -> Decision:
    """One person's yes or no to one tag of one image. Raises `unknown_tag`."""
    tag = vocabulary.active_tag(project, word)
    store(project, actor, [(image, tag.pk, value)], scope=scope)
    newest = Decision.objects.filter(image=image, tag=tag, user=actor, review=None).select_related("tag")
    return newest.latest("pk")


@transaction.atomic
def take_back(project: Project, decision_id: int, *, actor: User) -> Decision:
    """Take one answer to one tag back. Raises Conflict `already_undone`."""
    decision = (
        Decision.objects.select_for_update()
        .filter(project=project, pk=decision_id, review=None, source=Decision.Source.PERSON)
        .first()
    )
    if decision is None:
        raise NotFound(f"Answer {decision_id} to one tag is not in this project.", decision=decision_id)
    if decision.undone_at is not None:
        raise Conflict("This answer was taken back already.", code="already_undone", decision=decision_id)
    _undo(project, [decision.pk], actor)
    return decision


def take_back_bulk(
    project: Project, bulk: BulkJob, image_ids: Iterable[int], *, actor: User | None
) -> set[int]:
    """Take back what a bulk action answered on these images; returns the images. Inside a transaction."""
    rows = Decision.objects.filter(bulk=bulk, undone_at=None).filter(arrays.among("image_id", image_ids))
    found = dict(rows.values_list("pk", "image_id"))
    _undo(project, list(found), actor)
    return set(found.values())


def take_back_many(project: Project, decision_ids: Sequence[int], *, actor: User) -> None:
    """Take back those of these answers that nobody has taken back yet. Inside a transaction."""
    still = Decision.objects.filter(project=project, pk__in=decision_ids, review=None, undone_at=None)
    _undo(project, list(still.values_list("pk", flat=True)), actor)


def take_back_page(page: VerifiedPage, *, actor: User) -> None:
    """Take back what a page of the grid answered and nobody has taken back yet. Inside a transaction."""
    still = page.decisions.filter(undone_at=None).values_list("pk", flat=True)
    _undo(page.project, list(still), actor)


def _undo(project: Project, decision_ids: Sequence[int], actor: User | None) -> None:
    """There is something new to learn: the trainable counts grow by what was taken back."""
    if not decision_ids:
        return
    rows = Decision.objects.filter(pk__in=decision_ids)
    pairs = list(rows.values_list("image_id", "tag_id", "image__is_holdout"))
    rows.update(undone_at=timezone.now(), undone_by=actor)
    trainable = sum(not is_holdout for _, _, is_holdout in pairs)
    _count(project, decisions=-len(decision_ids), trainable=trainable)
    disputes.settle_answered(
        project, {image_id for image_id, *_ in pairs}, {tag_id for _, tag_id, _ in pairs}
    )


def _count(project: Project, *, decisions: int, trainable: int) -> None:
    """Kept counts for answers that came, or went if negative; and the news that there is something to learn."""
    deltas = {"decisions": decisions, "trainable_decisions": trainable, "trainable_reviews": trainable}
    counters.add(project.pk, deltas)
    send_on_commit(reviews_changed, project_id=project.pk)
