"""Reads of near-duplicates: the groups that ask for a decision, and each with all that its images have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from annotations.errors import NotFound
from annotations.models import DuplicateGroup, DuplicateScan, Image, NearPair, Project, Tag
from annotations.selectors import arrays, images, import_reports
from annotations.types import ImageTruth


class Listed(NamedTuple):
    """A group in the list. `leaks`: it has a holdout image and one that is trained on."""

    id: int
    images: int
    leaks: bool


@dataclass(frozen=True)
class Member:
    """One image of a group; `yes` is None where it may not be told."""

    image: Image
    yes: tuple[str, ...] | None


@dataclass(frozen=True)
class Group:
    """A group as people see it, the image that is best to keep first. `bits`: the most that a pair differs in."""

    row: DuplicateGroup
    members: tuple[Member, ...]
    pairs: tuple[NearPair, ...]

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def leaks(self) -> bool:
        return len({member.image.is_holdout for member in self.members}) == 2

    @property
    def is_mirrored(self) -> bool:
        return any(pair.mirrored for pair in self.pairs)

    @property
    def others(self) -> int:
        return len(self.members) - 1


def listing(
    project: Project, *, state: str = DuplicateGroup.State.OPEN, import_id: int | None = None
) -> list[Listed]:
    """Groups with two or more images outside the trash: first those between holdout and training, then the oldest.

    With `import_id` only those that an image of that import belongs to. One query, 24 bytes a group.
    """
    jobs = [job.pk for job in import_reports.together_with(project, import_id)] if import_id else None
    with connection.cursor() as cursor:
        cursor.execute(
            _LISTING,
            {"project": project.pk, "state": state, "jobs": None if jobs is None else arrays.literal(jobs)},
        )
        return [Listed(*row) for row in cursor.fetchall()]


def get(project: Project, group_id: int, *, lock: bool = False) -> DuplicateGroup:
    rows = DuplicateGroup.objects.select_for_update() if lock else DuplicateGroup.objects.all()
    row = rows.filter(project=project, pk=group_id).first()
    if row is None:
        raise NotFound(f"Group {group_id} of near-duplicates is not in this project.", group=group_id)
    return row


def image_ids(group: DuplicateGroup) -> set[int]:
    """Those in the trash too."""
    ends = NearPair.objects.filter(group=group).values_list("first_id", "second_id")
    return {image_id for pair in ends for image_id in pair}


def with_images(project: Project, group_ids: Sequence[int]) -> list[Group]:
    """The groups in this order with all that their images have. As many queries for one as for many."""
    rows = DuplicateGroup.objects.filter(project=project).select_related("decided_by").in_bulk(group_ids)
    pairs: dict[int, list[NearPair]] = {group_id: [] for group_id in group_ids}
    for pair in NearPair.objects.filter(group__in=list(rows)).order_by("pk"):
        pairs[pair.group_id].append(pair)
    wanted = {image_id for found in pairs.values() for pair in found for image_id in _ends(pair)}
    here = Image.objects.filter(project=project, deleted_at=None).in_bulk(list(wanted))
    truths = images.truths(project, list(here.values()))
    names = dict(
        Tag.objects.filter(pk__in={tag for truth in truths.values() for tag in truth.yes}).values_list(
            "pk", "name"
        )
    )
    return [
        Group(rows[group_id], _members(project, pairs[group_id], here, truths, names), tuple(pairs[group_id]))
        for group_id in group_ids
        if group_id in rows
    ]


def scan(project: Project) -> DuplicateScan:
    """How far the search is; unsaved zeros before it has begun."""
    return DuplicateScan.objects.filter(project=project).first() or DuplicateScan(project=project)


def best_first(found: Iterable[Image]) -> list[Image]:
    """The largest picture, then the one more often reviewed, the larger file, the older."""
    return sorted(
        found,
        key=lambda image: (
            -image.width_px * image.height_px,
            -image.reviews_done,
            -image.size_bytes,
            image.pk,
        ),
    )


def _members(
    project: Project,
    pairs: Sequence[NearPair],
    here: Mapping[int, Image],
    truths: Mapping[int, ImageTruth],
    names: Mapping[int, str],
) -> tuple[Member, ...]:
    ids = dict.fromkeys(image_id for pair in pairs for image_id in _ends(pair) if image_id in here)
    found = best_first(here[image_id] for image_id in ids)
    # A copy's tags would be an answer to a holdout image that still waits for its reviews.
    if any(images.is_blind(project, image) for image in found):
        return tuple(Member(image, None) for image in found)
    return tuple(
        Member(image, tuple(sorted(names[tag_id] for tag_id in truths[image.pk].yes))) for image in found
    )


def _ends(pair: NearPair) -> tuple[int, int]:
    return pair.first_id, pair.second_id


_LISTING = """
    WITH member AS (
        SELECT DISTINCT p.group_id, v.image_id
        FROM annotations_nearpair p CROSS JOIN LATERAL (VALUES (p.first_id), (p.second_id)) AS v(image_id)
        WHERE p.project_id = %(project)s
    )
    SELECT g.id, count(*), bool_or(i.is_holdout) AND NOT bool_and(i.is_holdout) AS leaks
    FROM annotations_duplicategroup g
    JOIN member m ON m.group_id = g.id
    JOIN annotations_image i ON i.id = m.image_id AND i.deleted_at IS NULL
    WHERE g.project_id = %(project)s AND g.state = %(state)s
      AND (%(jobs)s::bigint[] IS NULL OR EXISTS (
          SELECT 1 FROM member n JOIN annotations_importitem t ON t.image_id = n.image_id
          WHERE n.group_id = g.id AND t.job_id = ANY(%(jobs)s::bigint[])))
    GROUP BY g.id HAVING count(*) >= 2
    ORDER BY leaks DESC, g.id
"""
