"""What a review says of a tag by keeping silent: it hangs on the vocabulary version in which the image was handed out.

For queries that count reviews by it. A tag that others were merged into is answered by all that it is made of: yes if
any is yes, no only if all are (docs/decisions/0011-merge-and-split.md).
"""

import json
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from annotations.models import Project, TagPeriod
from annotations.selectors.truth import ActiveTags


@dataclass(frozen=True)
class Era:
    """A tag while nothing changed for it and what it is merged with.

    `part`: the tag that its answers spoke to then. `is_idle`: of that part silence says nothing; `wanted` is how many
    parts of the surviving tag are so, which only an explicit answer says no to.
    """

    part: int
    is_idle: bool
    wanted: int


@dataclass(frozen=True)
class Member:
    """A tag that is in use, or was merged into one. `eras` are one more than `edges`, the versions between them."""

    tag_id: int
    survivor_id: int
    edges: Sequence[int]
    eras: Sequence[Era]

    @property
    def is_survivor(self) -> bool:
        """Whether it is a tag of its own."""
        return self.tag_id == self.survivor_id

    def is_implied(self, version: int) -> bool:
        """Whether a review of that version that keeps silent says no."""
        return self.eras[bisect(self.edges, version)].wanted == 0


def members(project: Project, tag_ids: Sequence[int]) -> list[Member]:
    """These tags in use, each followed by what was merged into it. Two queries."""
    active = ActiveTags(project)
    edges_of = _edges(project, active)
    implied_counts = project.unmarked == Project.Unmarked.NO
    found = []
    for survivor_id in tag_ids:
        family = active.merges.members(survivor_id)
        edges = sorted(set().union(*(edges_of[tag_id] for tag_id in family)))
        eras = [_parts(active, family, version, implied_counts) for version in (0, *edges)]
        for tag_id in family:
            of_tag = [Era(parts[tag_id], parts[tag_id] in idle, len(idle)) for parts, idle in eras]
            found.append(Member(tag_id, survivor_id, edges, of_tag))
    return found


def as_json(members: Sequence[Member]) -> str:
    """For `jsonb_to_recordset` with tag_id, survivor_id, is_alone, edges, and by era part, idle, wanted.

    `is_alone`: nothing was merged into it. `width_bucket(version, edges)` is the place of an era. From version
    `settled` on, to this day, silence says no.
    """
    sizes = Counter(member.survivor_id for member in members)
    return json.dumps(
        [
            {
                "tag_id": member.tag_id,
                "survivor_id": member.survivor_id,
                "is_alone": sizes[member.survivor_id] == 1,
                "edges": member.edges,
                "part": [era.part for era in member.eras],
                "idle": [era.is_idle for era in member.eras],
                "wanted": [era.wanted for era in member.eras],
                "settled": member.edges[-1] if member.eras[-1].wanted == 0 else None,
            }
            for member in members
        ]
    )


def _edges(project: Project, active: ActiveTags) -> dict[int, set[int]]:
    """By tag the versions from which on it was, or was no longer, active or a tag of its own."""
    found: dict[int, set[int]] = {merge.tag_id: {merge.version} for merge in active.merges.in_order}
    periods = TagPeriod.objects.filter(tag__project=project).values_list("tag_id", "since", "until")
    for tag_id, since, until in periods:
        found.setdefault(tag_id, set()).update({since} if until is None else {since, until})
    return found


def _parts(
    active: ActiveTags, family: Sequence[int], version: int, implied_counts: bool
) -> tuple[dict[int, int], set[int]]:
    """What each tag was part of in a version, and of which of these parts a silent review says nothing."""
    parts = {tag_id: active.merges.survivor_at(tag_id, version) for tag_id in family}
    every = set(parts.values())
    return parts, every - active.at(version) if implied_counts else every
