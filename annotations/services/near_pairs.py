"""Finds near-duplicates: first by perceptual hash alone, then with features, each time among what is new only.

By hash alone a pair is sure up to SURE_BITS. Once both have features, pairs up to LOOSE_BITS count if these are near,
and one that the hash was sure of is dropped if they are far apart. Measured in docs/near-duplicates.md.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from annotations.models import DuplicateGroup, DuplicateScan, Image, NearPair, Project
from annotations.near_hashes import QUERIES_AT_ONCE, Index
from annotations.selectors import arrays, neighbours

SURE_BITS = 8
LOOSE_BITS = 14
NEAR_DISTANCE = 0.25
FAR_DISTANCE = 0.4


class Pair(NamedTuple):
    """Two image ids, the lower first, and how alike they are."""

    first: int
    second: int
    bits: int
    mirrored: bool
    distance: float | None = None


def find(project_id: int) -> int:
    """Look at what has come since the last time; returns how many new pairs that gave.

    Goes on where a killed worker stood. Called twice at once, one caller does the work.
    """
    DuplicateScan.objects.get_or_create(project_id=project_id)
    found = _search(project_id, "hashed_to", SURE_BITS, None)
    scan = DuplicateScan.objects.get(project_id=project_id)
    known_to = neighbours.looked_to(project_id, after_id=scan.measured_to)
    if known_to > scan.measured_to:
        found += _search(project_id, "measured_to", LOOSE_BITS, min(known_to, scan.hashed_to))
    return found


def behind() -> list[int]:
    """Projects with images that have not been looked at, by hash or with features."""
    newest = Image.objects.filter(project=OuterRef("pk"), deleted_at=None).order_by("-pk").values("pk")[:1]
    scan = DuplicateScan.objects.filter(project=OuterRef("pk"))
    rows = Project.objects.filter(deleted_at=None).annotate(
        newest=Subquery(newest),
        hashed_to=Coalesce(Subquery(scan.values("hashed_to")), 0),
        measured_to=Coalesce(Subquery(scan.values("measured_to")), 0),
    )
    late = rows.filter(Q(newest__gt=F("hashed_to")) | Q(newest__gt=F("measured_to")))
    return list(late.order_by("pk").values_list("pk", flat=True))


def _search(project_id: int, mark: str, most_bits: int, stop_id: int | None) -> int:
    """Search for what comes after the mark, a portion a transaction, and move the mark with each."""
    after_id = getattr(DuplicateScan.objects.get(project_id=project_id), mark)
    if not Image.objects.filter(project_id=project_id, pk__gt=after_id).exists():
        return 0
    ids, hashes = _hashes(project_id, stop_id)
    start = int(np.searchsorted(ids, after_id, side="right"))
    index, found = Index(hashes, most_bits=most_bits), 0
    for at in range(start, len(ids), QUERIES_AT_ONCE):
        stop = min(at + QUERIES_AT_ONCE, len(ids))
        near = index.pairs(at, stop)
        pairs = [
            Pair(int(ids[a]), int(ids[b]), int(bits), bool(mirrored))
            for a, b, bits, mirrored in zip(near.earlier, near.later, near.bits, near.mirrored, strict=True)
        ]
        stored = _store(project_id, mark, after_id, int(ids[stop - 1]), _measured(project_id, pairs))
        if stored is None:  # somebody else goes on from here
            return found
        found, after_id = found + stored, int(ids[stop - 1])
    return found


def _hashes(project_id: int, stop_id: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids, rising, and hashes, 16 bytes an image. The trash is among them: what comes back has been looked at."""
    rows = Image.objects.filter(project_id=project_id).order_by("pk").values_list("pk", "phash")
    if stop_id is not None:
        rows = rows.filter(pk__lte=stop_id)
    table = np.fromiter(rows.iterator(20_000), dtype=[("id", np.int64), ("hash", np.int64)])
    return np.ascontiguousarray(table["id"]), np.ascontiguousarray(table["hash"])


def _measured(project_id: int, pairs: Sequence[Pair]) -> list[Pair]:
    distances = neighbours.distances(project_id, [(pair.first, pair.second) for pair in pairs])
    return [pair._replace(distance=distance) for pair, distance in zip(pairs, distances, strict=True)]


def is_near(pair: Pair) -> bool:
    if pair.distance is None:
        return pair.bits <= SURE_BITS
    return pair.distance <= (FAR_DISTANCE if pair.bits <= SURE_BITS else NEAR_DISTANCE)


@transaction.atomic
def _store(project_id: int, mark: str, after_id: int, up_to_id: int, pairs: Sequence[Pair]) -> int | None:
    """Store near pairs, take away those that features tell apart, and move the mark; None if it has moved meanwhile."""
    scan = DuplicateScan.objects.select_for_update().get(project_id=project_id)
    if getattr(scan, mark) != after_id:
        return None
    near = [pair for pair in pairs if is_near(pair)]
    known = _known(pairs)
    _drop([known[pair[:2]] for pair in pairs if pair[:2] in known and not is_near(pair)])
    _tell_distances([(known[pair[:2]].pk, pair.distance) for pair in near if pair[:2] in known])
    fresh = _still_here(project_id, [pair for pair in near if pair[:2] not in known])
    _tie(project_id, fresh)
    setattr(scan, mark, up_to_id)
    scan.save(update_fields=[mark])
    return len(fresh)


def _still_here(project_id: int, pairs: Sequence[Pair]) -> list[Pair]:
    """Without those of which a picture was removed for good since its hash was read."""
    ids = {image_id for pair in pairs for image_id in pair[:2]}
    rows = Image.objects.filter(arrays.among("id", ids), project_id=project_id)
    here = set(rows.values_list("pk", flat=True))
    return [pair for pair in pairs if here.issuperset(pair[:2])]


def _known(pairs: Sequence[Pair]) -> dict[tuple[int, int], NearPair]:
    rows = NearPair.objects.filter(arrays.among("second_id", {pair.second for pair in pairs}))
    return {(row.first_id, row.second_id): row for row in rows}


def _tell_distances(told: Sequence[tuple[int, float | None]]) -> None:
    rows = [NearPair(pk=pk, distance=distance) for pk, distance in told if distance is not None]
    NearPair.objects.bulk_update(rows, ["distance"], batch_size=1_000)


def _tie(project_id: int, fresh: Sequence[Pair]) -> None:
    """Store the pairs; those that touch the same image share a group, and open groups that they tie become one."""
    if not fresh:
        return
    groups = _open_groups({image_id for pair in fresh for image_id in pair[:2]})
    ties = _Ties()
    for image_id, group_id in groups:
        ties.tie(("image", image_id), ("group", group_id))
    for pair in fresh:
        ties.tie(("image", pair.first), ("image", pair.second))
    by_root: dict[tuple[str, int], list[int]] = {}
    for group_id in sorted({group_id for _, group_id in groups}):
        by_root.setdefault(ties.root(("group", group_id)), []).append(group_id)
    roots = dict.fromkeys(ties.root(("image", pair.first)) for pair in fresh)
    new = [root for root in roots if root not in by_root]
    made = DuplicateGroup.objects.bulk_create(DuplicateGroup(project_id=project_id) for _ in new)
    target = {root: ids[0] for root, ids in by_root.items()} | {
        root: group.pk for root, group in zip(new, made, strict=True)
    }
    for first, *others in by_root.values():
        if others:
            NearPair.objects.filter(group__in=others).update(group=first)
            DuplicateGroup.objects.filter(pk__in=others).delete()
    NearPair.objects.bulk_create(
        (
            NearPair(
                project_id=project_id,
                group_id=target[ties.root(("image", pair.first))],
                first_id=pair.first,
                second_id=pair.second,
                bits=pair.bits,
                mirrored=pair.mirrored,
                distance=pair.distance,
            )
            for pair in fresh
        ),
        batch_size=5_000,
    )


def _open_groups(ids: Iterable[int]) -> set[tuple[int, int]]:
    """(image, group) for those of the images that stand in open groups already."""
    wanted = set(ids)
    touching = Q(arrays.among("first_id", wanted)) | Q(arrays.among("second_id", wanted))
    rows = NearPair.objects.filter(touching, group__state=DuplicateGroup.State.OPEN)
    return {
        (image_id, group_id)
        for first, second, group_id in rows.values_list("first_id", "second_id", "group_id")
        for image_id in (first, second)
        if image_id in wanted
    }


def _drop(pairs: Sequence[NearPair]) -> None:
    """Take pairs out of their open groups, which may fall apart; what a manager has decided stays."""
    open_ones = DuplicateGroup.objects.filter(
        pk__in={pair.group_id for pair in pairs}, state=DuplicateGroup.State.OPEN
    )
    group_ids = list(open_ones.values_list("pk", flat=True))
    NearPair.objects.filter(pk__in=[pair.pk for pair in pairs], group__in=group_ids).delete()
    for group_id in group_ids:
        _fall_apart(group_id)


def _fall_apart(group_id: int) -> None:
    """One group for each part that still hangs together; none is left of a group without pairs."""
    rows = list(NearPair.objects.filter(group=group_id).order_by("pk"))
    if not rows:
        DuplicateGroup.objects.filter(pk=group_id).delete()
        return
    ties = _Ties()
    for row in rows:
        ties.tie(("image", row.first_id), ("image", row.second_id))
    parts: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        parts.setdefault(ties.root(("image", row.first_id)), []).append(row.pk)
    for part in list(parts.values())[1:]:
        group = DuplicateGroup.objects.create(project_id=rows[0].project_id)
        NearPair.objects.filter(pk__in=part).update(group=group)


class _Ties:
    """What hangs together: a forest of sets that merge (union-find)."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, int], tuple[str, int]] = {}

    def root(self, one: tuple[str, int]) -> tuple[str, int]:
        while (above := self._above.setdefault(one, one)) != one:
            self._above[one] = self._above[above]
            one = above
        return one

    def tie(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        self._above[self.root(other)] = self.root(one)
