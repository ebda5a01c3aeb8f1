"""The tags that an import brings: stored as answers of source `import`, never doubled, never a person's.

Tags of a complete item are a review of the whole image; others answer each tag alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from annotations.importers.base import ItemError
from annotations.models import Decision, Image, ImportItem, ImportJob, QueueEntry, Review
from annotations.models.queue import Stratum
from annotations.selectors import vocabulary
from annotations.services import leases
from annotations.signals import reviews_changed, send_on_commit


@dataclass(frozen=True)
class Tagged:
    """What storing the tags of a batch came to."""

    changed_image_ids: frozenset[int]
    deltas: Counter[str]
    errors: tuple[ItemError, ...]


def store(job: ImportJob, placed: Sequence[tuple[ImportItem, Image]]) -> Tagged:
    """Store the tags of items whose images have rows. Call inside the batch's transaction."""
    wanted, errors = _wanted(job, placed)
    reviewed = _review_complete(job, placed)
    decisions = _decisions(job, wanted, reviewed)
    Decision.objects.bulk_create(decisions)
    changed = {decision.image_id for decision in decisions} | reviewed.keys()
    if changed:
        send_on_commit(reviews_changed, project_id=job.project_id)
    return Tagged(frozenset(changed), _deltas(decisions, reviewed, placed), tuple(errors))


def _wanted(
    job: ImportJob, placed: Sequence[tuple[ImportItem, Image]]
) -> tuple[dict[tuple[int, int], None], list[ItemError]]:
    """The (image, tag) pairs in order, each once, and the words that name no active tag."""
    named = list(dict.fromkeys(word for item, _ in placed for word in item.tags))
    if not named:
        return {}, []
    _, unknown = vocabulary.resolve(job.project, named)
    unknown_words = set(unknown)
    known = [word for word in named if word not in unknown_words]
    ids = dict(zip(known, vocabulary.resolve(job.project, known)[0], strict=True))
    pairs = {(image.pk, ids[word]): None for item, image in placed for word in item.tags if word in ids}
    errors = [_unknown_tag(item, word) for item, _ in placed for word in item.tags if word in unknown_words]
    return pairs, errors


def _unknown_tag(item: ImportItem, word: str) -> ItemError:
    return ItemError(
        item.name,
        "unknown_tag",
        f"No active tag of this project is called “{word}”. The picture was taken without it: create or "
        "revive the tag, then import again.",
    )


def _review_complete(job: ImportJob, placed: Sequence[tuple[ImportItem, Image]]) -> dict[int, Review]:
    """Reviews of the complete items whose images nobody has answered yet, by image."""
    pending = {
        image.pk: image
        for item, image in placed
        if item.complete and image.state == Image.State.PENDING and image.reviews_done == 0
    }
    if not pending:
        return {}
    version = type(job.project).objects.values_list("vocabulary_version", flat=True).get(pk=job.project_id)
    for image in pending.values():
        image.state, image.reviews_done = Image.State.REVIEWED, 1
    Image.objects.bulk_update(pending.values(), ["state", "reviews_done"])
    QueueEntry.objects.filter(image_id__in=pending).delete()
    leases.close_all(pending)
    reviews = Review.objects.bulk_create(
        Review(
            project_id=job.project_id,
            image=image,
            user=job.actor,
            outcome=Review.Outcome.REVIEWED,
            source=Review.Source.IMPORT,
            blind=True,
            stratum=Stratum.HOLDOUT if image.is_holdout else "",
            probability=image.holdout_probability if image.is_holdout else None,
            vocabulary_version=version,
        )
        for image in pending.values()
    )
    return {review.image_id: review for review in reviews}


def _decisions(
    job: ImportJob, pairs: dict[tuple[int, int], None], reviewed: dict[int, Review]
) -> list[Decision]:
    image_ids = {image_id for image_id, _ in pairs}
    stored = set(
        Decision.objects.filter(
            image_id__in=image_ids, source=Decision.Source.IMPORT, value=Decision.Value.YES
        ).values_list("image_id", "tag_id")
    )
    return [
        Decision(
            project_id=job.project_id,
            image_id=image_id,
            tag_id=tag_id,
            user=job.actor,
            review=reviewed.get(image_id),
            value=Decision.Value.YES,
            scope=Decision.Scope.IMAGE if image_id in reviewed else Decision.Scope.TAG,
            source=Decision.Source.IMPORT,
        )
        for image_id, tag_id in pairs
        if (image_id, tag_id) not in stored or image_id in reviewed
    ]


def _deltas(
    decisions: Sequence[Decision], reviewed: dict[int, Review], placed: Sequence[tuple[ImportItem, Image]]
) -> Counter[str]:
    """Increments of the kept counters; what lies on the holdout is never trained on."""
    holdout = {image.pk for _, image in placed if image.is_holdout}
    of_image = Counter(decision.image_id for decision in decisions)
    deltas: Counter[str] = Counter(decisions=len(decisions), reviews=len(reviewed))
    deltas["reviewed"] += len(reviewed)
    deltas["pending"] -= len(reviewed)
    deltas["holdout_reviewed"] += len(reviewed.keys() & holdout)
    for image_id in (of_image.keys() | reviewed.keys()) - holdout:
        deltas["trainable_decisions"] += max(of_image[image_id], 1)
        deltas["trainable_reviews"] += image_id in reviewed
    return deltas
