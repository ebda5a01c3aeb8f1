"""Handing out images: claim, renew, release. What is handed out is recorded with the lease.

Reads stored order only: no model runs here. Two people never hold the same image: entries are locked with
SKIP LOCKED while they are claimed, and a partial unique index on open leases has the last word.
"""

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations.models import Image, Lease, Project, QueueEntry, Review, Role, SuggestionSet, User
from annotations.models.queue import Stratum
from annotations.selectors import arrays, draw, handout, outside_suggestions, unanswered
from annotations.selectors.draw import Draw
from annotations.services import picking
from annotations.services.picking import Wish

LEASE_DURATION = timedelta(minutes=15)
MAX_COUNT = 20


@transaction.atomic
def claim_next(
    project: Project,
    user: User,
    *,
    role: Role,
    count: int = 1,
    mode: str = "mixed",
    tag_id: int | None = None,
    without: Sequence[int] = (),
    have: Sequence[uuid.UUID] = (),
    rng: random.Random | None = None,
) -> list[Lease]:
    """Lease up to `count` images to `user`: first those they hold already (except `have`), then new ones.

    Where one tag is asked about, what was answered meanwhile or passed over is not handed out again.
    """
    wish = Wish(mode, tag_id, without)
    held = _renewed_own(project, user, have, wish)[:count]
    wanted = count - len(held)
    if wanted <= 0:
        return held
    close_expired(project.pk)
    rng = rng or random.Random()  # noqa: S311 (a draw, not a secret)
    drawn = draw.of_claim(project, mode=mode, count=wanted, rng=rng)
    claimed: list[Lease] = []
    short = set()
    for stratum, slots in drawn.slots.items():
        found = _claim(project, user, role, stratum, slots, wish, drawn)
        claimed += found
        if len(found) < slots:
            short.add(stratum)
    # A drawn stratum may be empty: any image is better than none.
    for skipped_too in (False, True):
        for stratum in draw.fallbacks(mode):
            missing = wanted - len(claimed)
            if missing and (skipped_too or stratum not in short):
                claimed += _claim(project, user, role, stratum, missing, wish, drawn, skipped_too=skipped_too)
    return held + claimed


@transaction.atomic
def renew(
    project: Project, user: User, tokens: Sequence[uuid.UUID], *, refresh: bool
) -> tuple[list[Lease], list[str]]:
    """Extend the caller's open leases, and name the tokens that are lost. `refresh` records suggestions anew."""
    own = _own_open(project, user).filter(token__in=tokens).select_related("image")
    leases = list(own.select_for_update(of=("self",)))
    if refresh and leases:
        _record(project, leases)
    for lease in leases:
        lease.expires_at = timezone.now() + LEASE_DURATION
    Lease.objects.bulk_update(leases, ["expires_at", *_RECORDED] if refresh else ["expires_at"])
    alive = {lease.token for lease in leases}
    return leases, [str(token) for token in tokens if token not in alive]


def release(project: Project, user: User, tokens: Sequence[uuid.UUID]) -> int:
    """Give images back to the queue before their lease runs out."""
    return _own_open(project, user).filter(token__in=tokens).update(is_open=False)


def close_expired(project_id: int | None = None) -> int:
    """Close leases whose time is over, so that their images can be handed out again."""
    expired = Lease.objects.filter(is_open=True, expires_at__lt=timezone.now())
    if project_id is not None:
        expired = expired.filter(project_id=project_id)
    return expired.update(is_open=False)


def close_answered(image: Image, user_id: int | None) -> None:
    """After an answer nobody holds what is finished, and the person does not hold it a second time."""
    held = Lease.objects.filter(image=image, is_open=True)
    if QueueEntry.objects.filter(image=image).exists():
        held = held.filter(user=user_id)
    held.update(is_open=False)


def close_all(image_ids: Iterable[int]) -> None:
    """Nobody holds these images any more: they left the queue otherwise than by an answer."""
    Lease.objects.filter(arrays.among("image_id", image_ids), is_open=True).update(is_open=False)


def reopen(project: Project, user: User, image: Image, earlier: Lease | None) -> Lease | None:
    """A new lease of this very image (undo), as blind as the earlier one.

    None if somebody holds it, or if it wants no review, or none by this person.
    """
    if not wanted_by(image, user):
        return None
    Lease.objects.filter(image=image, is_open=True, expires_at__lt=timezone.now()).update(is_open=False)
    if Lease.objects.filter(image=image, is_open=True).exists():
        return None
    lease = Lease(
        project=project,
        image=image,
        user=user,
        expires_at=timezone.now() + LEASE_DURATION,
        mode=earlier.mode if earlier else "mixed",
        why=earlier.why if earlier else "random",
        blind=earlier.blind if earlier else image.is_holdout,
        stratum=earlier.stratum if earlier else Stratum.HOLDOUT if image.is_holdout else Stratum.ACTIVE,
        component=earlier.component if earlier else "",
        probability=earlier.probability if earlier else None,
        waiting=earlier.waiting if earlier else None,
    )
    _record(project, [lease])
    lease.save()
    return lease


_RECORDED = (
    "shown",
    "offered_ids",
    "withheld_ids",
    "calibrated",
    "model_version_id",
    "model_number",
    "vocabulary_version",
)


def _own_open(project: Project, user: User) -> QuerySet[Lease]:
    return Lease.objects.filter(project=project, user=user, is_open=True)


def _renewed_own(project: Project, user: User, have: Sequence[uuid.UUID], wish: Wish) -> list[Lease]:
    """What the caller holds already: a reloaded page gets its items back."""
    own = _own_open(project, user).filter(expires_at__gt=timezone.now()).exclude(token__in=have)
    if wish.is_one_tag:
        own = own.filter(mode=wish.mode).exclude(image__in=wish.without)
    held = list(own.select_related("image").order_by("id")[:MAX_COUNT])
    if wish.is_one_tag:
        open_ids = unanswered.among(project, wish.tag_id, [lease.image_id for lease in held])
        held = [lease for lease in held if lease.image_id in open_ids]
    expires_at = timezone.now() + LEASE_DURATION
    for lease in held:
        lease.expires_at = expires_at
    if held:
        Lease.objects.filter(pk__in=[lease.pk for lease in held]).update(expires_at=expires_at)
    return held


def _claim(
    project: Project,
    user: User,
    role: Role,
    stratum: str,
    count: int,
    wish: Wish,
    drawn: Draw,
    *,
    skipped_too: bool = False,
) -> list[Lease]:
    """Claim up to `count` images of one stratum and record what is handed out."""
    image_ids = picking.lock_next(project, user, role, stratum, count, wish, skipped_too=skipped_too)
    if not image_ids:
        return []
    entries = QueueEntry.objects.select_related("image").in_bulk(image_ids)
    leases = [_new_lease(project, user, entries[image_id], stratum, wish, drawn) for image_id in image_ids]
    _record(project, leases)
    if wish.is_one_tag:
        for lease in leases:
            lease.why = handout.why_one_tag(lease.shown, wish.mode, wish.tag_id)
    Lease.objects.bulk_create(leases, ignore_conflicts=True)
    # Another claim may have committed between our look and our insert: only the rows that landed are ours.
    landed = dict(
        Lease.objects.filter(token__in=[lease.token for lease in leases]).values_list("token", "pk")
    )
    for lease in leases:
        lease.pk = landed.get(lease.token)
    return [lease for lease in leases if lease.pk]


def _new_lease(
    project: Project, user: User, entry: QueueEntry, stratum: str, wish: Wish, drawn: Draw
) -> Lease:
    # Who asks about one tag goes through a list: nothing was drawn.
    probability, waiting = (None, None) if wish.is_one_tag else drawn.chance(entry, stratum)
    return Lease(
        project=project,
        image=entry.image,
        user=user,
        expires_at=timezone.now() + LEASE_DURATION,
        mode=wish.mode,
        why=handout.why(entry, stratum),
        blind=stratum in (Stratum.HOLDOUT, Stratum.BLIND),
        stratum=stratum,
        component=wish.mode if wish.is_one_tag else draw.component(entry, stratum),
        probability=probability,
        waiting=waiting,
    )


def _record(project: Project, leases: Iterable[Lease]) -> None:
    """Write into each lease what its person will be shown: today's suggestions, or nothing if it is blind."""
    leases = list(leases)
    vocabulary_version = Project.objects.values_list("vocabulary_version", flat=True).get(pk=project.pk)
    image_ids = [lease.image_id for lease in leases]
    sets = outside_suggestions.joined(image_ids, SuggestionSet.objects.in_bulk(image_ids))
    words = handout.words(project, sets.values())
    blocked = handout.blocked(image_ids, sets)
    for lease in leases:
        handout.record(lease, sets.get(lease.image_id), words, blocked.get(lease.image_id, set()))
        lease.vocabulary_version = vocabulary_version


def wanted_by(image: Image, user: User) -> bool:
    """Does the image still want a review, and one by this person?"""
    entry = QueueEntry.objects.filter(image=image).exists()
    mine = Review.objects.filter(
        image=image, user=user, counted=True, undone_at=None, outcome=Review.Outcome.REVIEWED
    ).exists()
    return entry and not mine
