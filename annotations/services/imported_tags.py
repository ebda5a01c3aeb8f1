"""The answers that an import brings, yes and no: stored with source `import`, never doubled, never a person's.

Tags of a complete item are a review of the whole image; others answer each tag alone. A tag on which people disagree
is answered twice, once by the importing person and once by nobody, so that it is in dispute here too.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotations.importers.base import ItemError
from annotations.models import Decision, Image, ImportJob, Project, Review, TagPeriod
from annotations.models.queue import Stratum
from annotations.selectors import arrays, vocabulary
from annotations.services import decisions, import_images, leases, queue
from annotations.services.decisions import Answer
from annotations.services.import_images import ImageRow
from annotations.services.import_items import WaitingItem
from annotations.signals import reviews_changed, send_on_commit

Placed = Sequence[tuple[WaitingItem, ImageRow]]
Wanted = dict[tuple[int, int], str]
Reviewed = Mapping[int, tuple[Review, ImageRow]]
Stored = dict[tuple[int, int], list[str]]


@dataclass(frozen=True)
class Tagged:
    """What storing the tags of a batch came to."""

    changed_image_ids: frozenset[int]
    deltas: Counter[str]
    errors: tuple[ItemError, ...]


def store(job: ImportJob, placed: Placed) -> Tagged:
    """Store the tags of items whose images have rows. Call inside the batch's transaction."""
    ids = _named(job, placed)
    errors = _unknown(placed, ids) + _undisputed(job, placed)
    reviewed = _review_complete(job, placed, ids)
    stored = _stored({image.pk for item, image in placed if item.tags or item.no or item.disputed})
    answers = [
        *_answers(job, _wanted(placed, ids), reviewed, stored),
        *_disputes(job, placed, ids, stored),
    ]
    decisions.add(job.project_id, answers, source=Decision.Source.IMPORT)
    changed = {answer.image_id for answer in answers} | reviewed.keys()
    if changed:
        send_on_commit(reviews_changed, project_id=job.project_id)
    return Tagged(frozenset(changed), _deltas(answers, reviewed, placed), tuple(errors))


def _named(job: ImportJob, placed: Placed) -> dict[str, int]:
    """Ids of active tags by the words that name them."""
    words = (word for item, _ in placed for word in (*item.tags, *item.no, *item.disputed, *item.not_asked))
    named = list(dict.fromkeys(words))
    return vocabulary.ids_by_word(job.project, named) if named else {}


def _wanted(placed: Placed, ids: Mapping[str, int]) -> Wanted:
    """The value of each (image, tag) in order, the last one said."""
    return {
        (image.pk, ids[word]): value
        for item, image in placed
        for value, words in ((Decision.Value.YES.value, item.tags), (Decision.Value.NO.value, item.no))
        for word in words
        if word in ids
    }


def _unknown(placed: Placed, ids: Mapping[str, int]) -> list[ItemError]:
    """The words that name no active tag."""
    return [
        _unknown_tag(item, word)
        for item, _ in placed
        for word in (*item.tags, *item.no, *item.disputed)
        if word not in ids
    ]


def _undisputed(job: ImportJob, placed: Placed) -> list[ItemError]:
    """An import that nobody signs has but one voice: tags in dispute are left out, and such an item is not finished."""
    errors = []
    for item, _ in placed if job.actor_id is None else ():
        if item.disputed:
            item.disputed, item.complete, words = [], False, item.disputed
            errors += [
                ItemError(
                    item.name, "disputed_tag", f"“{word[:60]}” is in dispute. It was left out.", is_part=True
                )
                for word in words
            ]
    return errors


def _unknown_tag(item: WaitingItem, word: str) -> ItemError:
    return ItemError(
        item.name,
        "unknown_tag",
        f"No active tag of this project is called “{word}”. The picture was taken without it: create or "
        "revive the tag, then import again.",
    )


def _review_complete(job: ImportJob, placed: Placed, ids: Mapping[str, int]) -> Reviewed:
    """Reviews of the complete items whose images nobody has answered yet, by image."""
    finished = {
        image.pk: (item, image)
        for item, image in placed
        if item.complete and image.state == Image.State.PENDING and image.reviews_done == 0
    }
    if not finished:
        return {}
    pending = {image_id: image for image_id, (_, image) in finished.items()}
    versions = _versions(job, [item for item, _ in finished.values()], ids)
    for item, image in finished.values():
        is_disputed = any(word in ids for word in item.disputed)
        image.state = (Image.State.DISPUTED if is_disputed else Image.State.REVIEWED).value
        image.reviews_done = 1
    import_images.store_states(pending.values())
    queue.leave_many(pending)
    leases.close_all(pending)
    reviews = Review.objects.bulk_create(
        Review(
            project_id=job.project_id,
            image_id=image.pk,
            user=job.actor,
            outcome=Review.Outcome.REVIEWED,
            source=Review.Source.IMPORT,
            blind=True,
            stratum=Stratum.HOLDOUT if image.is_holdout else "",
            probability=image.holdout_probability if image.is_holdout else None,
            vocabulary_version=versions[item.pk],
        )
        for item, image in finished.values()
    )
    return {review.image_id: (review, pending[review.image_id]) for review in reviews}


def _versions(job: ImportJob, items: Sequence[WaitingItem], ids: Mapping[str, int]) -> dict[int, int]:
    """The vocabulary that each item was finished with: today's, or the last one without the tags it was not asked.

    Other tags that are as young count as not asked too: too few no's rather than false ones.
    """
    today = Project.objects.values_list("vocabulary_version", flat=True).get(pk=job.project_id)
    unasked = {ids[word] for item in items for word in item.not_asked if word in ids}
    since = dict(TagPeriod.objects.filter(tag__in=unasked, until=None).values_list("tag_id", "since"))
    return {
        item.pk: min([today, *(since[ids[word]] - 1 for word in item.not_asked if ids.get(word) in since)])
        for item in items
    }


def _answers(job: ImportJob, wanted: Wanted, reviewed: Reviewed, stored: Stored) -> list[Answer]:
    """What is new: a verdict that an import before has left on the tag is not stored a second time."""
    answers = []
    for (image_id, tag_id), value in wanted.items():
        if image_id in reviewed:
            review_id = reviewed[image_id][0].pk
            answers.append(
                Answer(image_id, tag_id, job.actor_id, review_id, value, Decision.Scope.IMAGE.value)
            )
        elif stored.get((image_id, tag_id), [""])[-1] != value:
            answers.append(Answer(image_id, tag_id, job.actor_id, None, value, Decision.Scope.TAG.value))
    return answers


def _disputes(job: ImportJob, placed: Placed, ids: Mapping[str, int], stored: Stored) -> list[Answer]:
    """A yes that nobody signs and a no of the importing person, where an import before has not left both."""
    pairs = {(image.pk, ids[word]) for item, image in placed for word in item.disputed if word in ids}
    voices = ((None, Decision.Value.YES.value), (job.actor_id, Decision.Value.NO.value))
    return [
        Answer(image_id, tag_id, user_id, None, value, Decision.Scope.TAG.value)
        for image_id, tag_id in sorted(pairs)
        if {value for _, value in voices} - set(stored.get((image_id, tag_id), ()))
        for user_id, value in voices
    ]


def _stored(image_ids: set[int]) -> Stored:
    """The imported values of each (image, tag), the latest last."""
    if not image_ids:
        return {}
    imported = Decision.objects.filter(
        arrays.among("image_id", image_ids),
        source=Decision.Source.IMPORT,
        undone_at=None,
        review__undone_at=None,
    )
    found: Stored = defaultdict(list)
    for image_id, tag_id, value in imported.order_by("id").values_list("image_id", "tag_id", "value"):
        found[image_id, tag_id].append(value)
    return found


def _deltas(answers: Sequence[Answer], reviewed: Reviewed, placed: Placed) -> Counter[str]:
    """Increments of the kept counters; what lies on the holdout is never trained on."""
    holdout = {image.pk for _, image in placed if image.is_holdout}
    of_image = Counter(answer.image_id for answer in answers)
    deltas: Counter[str] = Counter(decisions=len(answers), reviews=len(reviewed))
    for _, image in reviewed.values():
        deltas[image.state] += 1
    deltas["pending"] -= len(reviewed)
    deltas["holdout_reviewed"] += len(reviewed.keys() & holdout)
    for image_id in (of_image.keys() | reviewed.keys()) - holdout:
        deltas["trainable_decisions"] += max(of_image[image_id], 1)
        deltas["trainable_reviews"] += image_id in reviewed
    return deltas
