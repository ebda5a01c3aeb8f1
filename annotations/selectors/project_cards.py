"""What the list of projects shows of each: progress, people, last activity, live model, cover. Seven queries in all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery

from annotations.models import Image, ImportJob, LiveModel, Membership, Project, Review, User
from annotations.models.job import FINISHED_STATES
from annotations.selectors import counters, progress, queue

COVER_PICTURES = 3
SPARK_DAYS = 14
# The source of the import that fills a sample project.
SAMPLE_SOURCE = "sample"


@dataclass(frozen=True)
class Picture:
    """A thumbnail with the size of its picture."""

    thumbnail_url: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class ProjectCard:
    project: Project
    role: str
    images: int
    reviewed: int
    people: int
    last_review_at: datetime | None
    model_number: int
    f1: float | None
    cover: tuple[Picture, ...]
    is_importing: bool
    is_sample: bool
    # Reviews of each of the last days, today last.
    by_day: tuple[int, ...]

    @property
    def share(self) -> float:
        return self.reviewed / self.images if self.images else 0.0

    @property
    def is_done(self) -> bool:
        return bool(self.images) and self.reviewed >= self.images


def cards(user: User) -> list[ProjectCard]:
    """The person's projects, the latest activity first."""
    latest = Review.objects.filter(project=OuterRef("project"), undone_at=None).order_by("-created_at")
    memberships = list(
        Membership.objects.filter(user=user, project__deleted_at=None)
        .select_related("project")
        .annotate(last_review_at=Subquery(latest.values("created_at")[:1]))
    )
    ids = [membership.project_id for membership in memberships]
    counts = counters.read_many(ids)
    live = LiveModel.objects.in_bulk(ids)
    people = _people(ids)
    covers = _covers(ids)
    imports = _imports(ids)
    by_day = progress.reviews_by_day_of(ids, SPARK_DAYS)
    found = [
        _card(
            membership,
            counts.get(membership.project_id, {}),
            live.get(membership.project_id),
            people=people[membership.project_id],
            cover=tuple(covers[membership.project_id]),
            sources=imports[membership.project_id],
            by_day=tuple(by_day[membership.project_id]),
        )
        for membership in memberships
    ]
    return sorted(found, key=lambda card: card.last_review_at or card.project.created_at, reverse=True)


def named(found: Sequence[ProjectCard], words: str) -> list[ProjectCard]:
    """Those whose name or description holds every one of the words."""
    wanted = words.casefold().split()
    return [
        card
        for card in found
        if all(word in f"{card.project.name} {card.project.description}".casefold() for word in wanted)
    ]


def _card(
    membership: Any,
    counts: dict[str, int],
    live: LiveModel | None,
    *,
    people: int,
    cover: tuple[Picture, ...],
    sources: Mapping[str, bool],
    by_day: tuple[int, ...],
) -> ProjectCard:
    return ProjectCard(
        project=membership.project,
        role=membership.role,
        images=counts.get("images", 0),
        reviewed=counts.get("reviewed", 0),
        people=people,
        last_review_at=membership.last_review_at,
        model_number=live.number if live else 0,
        f1=live.metrics.get("micro_f1") if live else None,
        cover=cover,
        is_importing=any(sources.values()),
        is_sample=SAMPLE_SOURCE in sources,
        by_day=by_day,
    )


def _imports(project_ids: list[int]) -> dict[int, dict[str, bool]]:
    """By project: the sources of open imports (True), and of the sample project's even when it is finished."""
    jobs = ImportJob.objects.filter(project__in=project_ids)
    rows = jobs.filter(Q(source=SAMPLE_SOURCE) | ~Q(state__in=FINISHED_STATES))
    found: dict[int, dict[str, bool]] = defaultdict(dict)
    for project_id, source, state in rows.values_list("project", "source", "state"):
        is_open = state not in FINISHED_STATES
        found[project_id][source] = found[project_id].get(source, False) or is_open
    return found


def _people(project_ids: list[int]) -> dict[int, int]:
    rows = Membership.objects.filter(project__in=project_ids).values("project").annotate(people=Count("pk"))
    return {row["project"]: row["people"] for row in rows}


def _covers(project_ids: list[int]) -> dict[int, list[Picture]]:
    """The first pictures of each project, each found by its index."""
    covers: dict[int, list[Picture]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.id, first.id, first.width_px, first.height_px FROM unnest(%(ids)s::bigint[]) AS p(id)
            CROSS JOIN LATERAL (
                SELECT i.id, i.width_px, i.height_px FROM annotations_image i
                WHERE i.project_id = p.id AND i.deleted_at IS NULL ORDER BY i.id LIMIT %(pictures)s
            ) AS first ORDER BY p.id, first.id
            """,
            {"ids": project_ids, "pictures": COVER_PICTURES},
        )
        for project_id, image_id, width_px, height_px in cursor.fetchall():
            address = queue.addresses(Image(pk=image_id, project_id=project_id))["thumbnail_url"]
            covers[project_id].append(Picture(address, width_px, height_px))
    return covers
