"""Storing what people say: one service behind the page, the API and the commands.

A review is stored once per `client_id`. An answer that comes too late is kept but not counted, and the caller
learns the present state. What the stored rows mean is derived in `selectors/truth.py`.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict, NotFound, RoleTooLow
from annotations.models import Decision, Image, Lease, Membership, Project, Review, User
from annotations.models.tag import name_key
from annotations.permissions import allows
from annotations.selectors import images, vocabulary
from annotations.services import counters, disputes, leases, queue, tags, tally
from annotations.signals import reviews_changed, send_on_commit
from annotations.types import Answer, TagSpec


@dataclass(frozen=True)
class Recorded:
    """A stored review, and whether this call stored it (False: it had been sent before)."""

    review: Review
    is_new: bool


class TooLate(Conflict):
    """The answer was kept as an uncounted review, since the image has moved on."""

    code = "stale"


def record(membership: Membership, answer: Answer) -> Recorded:
    """Store one person's answer about one image. Raises TooLate after having kept an answer that cannot count."""
    digest = _digest(answer)
    earlier = _earlier(membership, answer, digest)
    if earlier:
        return Recorded(earlier, is_new=False)
    try:
        recorded, late = _store(membership, answer, digest)
    except IntegrityError:
        # Its twin was about another image, so no row lock made the two wait for each other.
        earlier = _earlier(membership, answer, digest)
        if earlier is None:
            raise
        return Recorded(earlier, is_new=False)
    if late:
        raise TooLate(late, **state_of(recorded.review.image), review=recorded.review.pk)
    return recorded


@transaction.atomic
def undo(membership: Membership, review_id: int) -> tuple[Review, Lease | None]:
    """Take a review back: it counts as never made, both rows stay, and the image waits again, with a new lease.

    Where others have finished the image since, it stays finished and there is no lease.
    """
    review = _own_review(membership, review_id)
    image = images.get(membership.project, review.image_id, lock=True)
    if review.undone_at is not None:
        raise Conflict("This review was taken back already.", code="already_undone", **state_of(image))
    was_counted = review.counted
    review.undone_at, review.undone_by = timezone.now(), membership.user
    review.save(update_fields=["undone_at", "undone_by"])
    if was_counted:
        _take_back(membership.project, image, review)
    lease = leases.reopen(membership.project, membership.user, image, review.lease)
    send_on_commit(reviews_changed, project_id=image.project_id)
    return review, lease


def state_of(image: Image) -> dict[str, Any]:
    """What a caller who was too late needs to know."""
    return {"image": image.pk, "state": image.state, "revision": image.revision}


def _digest(answer: Answer) -> str:
    """A fingerprint of what was said: the same `client_id` with another body is a mistake of the client."""
    said = asdict(answer)
    del said["picture_ms"]  # how long a picture took says nothing of what was answered
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _earlier(membership: Membership, answer: Answer, digest: str) -> Review | None:
    if answer.client_id is None:
        return None
    review = (
        Review.objects.select_related("image", "user")
        .filter(project=membership.project, user=membership.user, client_id=answer.client_id)
        .first()
    )
    if review is None:
        return None
    if review.body_sha256 != digest:
        raise Conflict(
            f"The client_id {answer.client_id} was used for another answer; make a new one for each review.",
            code="client_id_reused",
            review=review.pk,
        )
    if not review.counted:
        raise TooLate(
            "The image had moved on when this came first.", **state_of(review.image), review=review.pk
        )
    return review


@transaction.atomic
def _store(membership: Membership, answer: Answer, digest: str) -> tuple[Recorded, str | None]:
    """Store the review and its decisions; also the sentence that says why it does not count, if so."""
    project, user = membership.project, membership.user
    image = images.get(project, answer.image_id, lock=True)
    # Whoever sends the same client_id twice at once meets its twin here, behind the row lock.
    earlier = _earlier(membership, answer, digest)
    if earlier:
        return Recorded(earlier, is_new=False), None
    lease = _lease_of(project, user, image, answer)
    yes, no = _answered_tags(membership, answer, lease)
    late = _why_late(image, user, lease, answer)
    review = Review.objects.create(
        project=project,
        image=image,
        user=user,
        lease=lease,
        client_id=answer.client_id,
        body_sha256=digest,
        outcome=answer.outcome,
        counted=late is None,
        seconds=answer.seconds,
        keystrokes=answer.keystrokes,
        picture_ms=answer.picture_ms,
        blind=lease.blind,
        stratum=lease.stratum,
        component=lease.component,
        probability=lease.probability,
        waiting=lease.waiting,
        model_version_id=lease.model_version_id,
        model_number=lease.model_number,
        vocabulary_version=lease.vocabulary_version,
    )
    if answer.outcome == Review.Outcome.REVIEWED:
        Decision.objects.bulk_create(_decisions(review, lease, yes, no))
    if late is None:
        _take_effect(project, image, review, lease, yes, no)
    return Recorded(review, is_new=True), late


def _lease_of(project: Project, user: User, image: Image, answer: Answer) -> Lease:
    try:
        token = uuid.UUID(str(answer.lease))
    except ValueError as error:
        raise BadInput(
            "`lease` is the token that queue/next gave with the image.", code="bad_lease"
        ) from error
    lease = Lease.objects.filter(project=project, user=user, image=image, token=token).first()
    if lease is None:
        raise BadInput(
            f"The lease is not yours, or not for image {image.pk}: send the token that queue/next gave with it.",
            code="unknown_lease",
        )
    return lease


def _why_late(image: Image, user: User, lease: Lease, answer: Answer) -> str | None:
    """A sentence, if the answer cannot count any more. A lease that merely ran out does no harm."""
    has_changed = answer.revision != image.revision
    if not has_changed and (lease.is_open or leases.wanted_by(image, user)):
        return None
    since = Review.objects.filter(image=image, user=user, counted=True, undone_at=None)
    if since.filter(created_at__gte=lease.created_at).exists():
        why = f"You have answered image {image.pk} already, perhaps in another tab."
    elif has_changed:
        why = f"Image {image.pk} has changed since it was handed out; look at it again."
    else:
        why = f"Image {image.pk} is finished by now ({image.state})."
    return f"{why} This answer was kept but does not count."


def _answered_tags(membership: Membership, answer: Answer, lease: Lease) -> tuple[list[int], list[int]]:
    """Tag ids of the yes's and the explicit no's: what was sent; what was offered or rejected and not sent."""
    if answer.outcome != Review.Outcome.REVIEWED:
        return [], []
    as_of = lease.vocabulary_version
    yes = _resolve(membership, answer.tags, create_missing=answer.create_missing, as_of=as_of)
    rejected = _resolve(membership, answer.rejected, create_missing=False, as_of=as_of)
    no = [tag_id for tag_id in dict.fromkeys([*lease.offered_ids, *rejected]) if tag_id not in yes]
    return yes, no


def _resolve(
    membership: Membership, words: Sequence[int | str], *, create_missing: bool, as_of: int
) -> list[int]:
    found, unknown = vocabulary.resolve(membership.project, words, as_of=as_of)
    if unknown and create_missing:
        if not allows(membership.role, "edit_tags"):
            raise RoleTooLow("Only managers create tags. Ask one, or leave the tag out.", tags=unknown)
        specs = [TagSpec(name=name) for name in _each_once(unknown)]
        tags.create_many(membership.project, specs, actor=membership.user)
        found, unknown = vocabulary.resolve(membership.project, words, as_of=as_of)
    if unknown:
        raise vocabulary.unknown_tags(unknown)
    return list(dict.fromkeys(found))


def _each_once(words: Sequence[int | str]) -> list[str]:
    """The names among the words; one that is written in several ways as it was written first."""
    names: dict[str, str] = {}
    for word in words:
        if isinstance(word, str):
            names.setdefault(name_key(word), word)
    return list(names.values())


def _decisions(review: Review, lease: Lease, yes: Sequence[int], no: Sequence[int]) -> list[Decision]:
    shown = {entry["tag"]["id"]: entry for entry in lease.shown}
    values = [(tag_id, Decision.Value.YES) for tag_id in yes] + [(tag_id, Decision.Value.NO) for tag_id in no]
    return [
        Decision(
            project_id=review.project_id,
            image_id=review.image_id,
            tag_id=tag_id,
            user_id=review.user_id,
            review=review,
            value=value,
            scope=Decision.Scope.IMAGE,
            suggestion=shown.get(tag_id),
            model_number=review.model_number,
        )
        for tag_id, value in values
    ]


def _take_effect(
    project: Project, image: Image, review: Review, lease: Lease, yes: Sequence[int], no: Sequence[int]
) -> None:
    """Move the image on, close the lease and count what happened."""
    before = image.state
    if review.outcome == Review.Outcome.REVIEWED:
        image.reviews_done += 1
        image.revision += 1
        if image.reviews_done >= project.reviews_per_image:
            image.state = disputes.state_after_review(project, image)
            queue.leave(image)
    elif review.outcome == Review.Outcome.UNSURE:
        image.state = Image.State.UNSURE
        queue.hand_to_reviewers(image)
    elif review.outcome == Review.Outcome.BROKEN:
        image.state = Image.State.BROKEN
        queue.leave(image)
    image.save(update_fields=["state", "reviews_done", "revision"])
    leases.close_answered(image, review.user_id)
    counters.add(project.pk, tally.of_review(review, lease, image, before, yes, no))
    send_on_commit(reviews_changed, project_id=project.pk)


def _own_review(membership: Membership, review_id: int) -> Review:
    review = (
        Review.objects.select_for_update(of=("self",))
        .select_related("lease")
        .filter(project=membership.project, pk=review_id)
        .first()
    )
    if review is None:
        raise NotFound(f"Review {review_id} is not in this project.", review=review_id)
    if review.user_id != membership.user_id and not allows(membership.role, "undo_any_review"):
        raise RoleTooLow("You can take back your own reviews; a reviewer takes back anybody's.")
    return review


_CLAIMED_STATES = {
    Review.Outcome.UNSURE: Image.State.UNSURE,
    Review.Outcome.BROKEN: Image.State.BROKEN,
}


def _take_back(project: Project, image: Image, review: Review) -> None:
    """Undo what a counted review did to its image, unless somebody else's answer has done more since."""
    before = image.state
    if review.outcome == Review.Outcome.REVIEWED:
        image.reviews_done -= 1
        image.revision += 1
        if image.reviews_done >= project.reviews_per_image:
            image.state = disputes.state_after_review(project, image)
        elif image.state in (Image.State.REVIEWED, Image.State.DISPUTED):
            image.state = Image.State.PENDING
    elif image.state == _CLAIMED_STATES.get(Review.Outcome(review.outcome)):
        image.state = Image.State.PENDING
    image.save(update_fields=["state", "reviews_done", "revision"])
    if image.state == Image.State.PENDING:
        queue.return_to_all(image)
    counters.add(image.project_id, tally.of_undo(review, image, before))
