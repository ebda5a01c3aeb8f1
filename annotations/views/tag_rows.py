"""The lines of the vocabulary's table: what is told of each tag, in an order, flat or as a tree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from annotations.models import Tag
from annotations.selectors.progress import TagCount

# Above this F1 a tag's bar is calm; below it, it asks for a look.
GOOD_F1 = 0.6
ORDERS = ("name", "yes", "f1", "oldest")
# Deeper ones stand no further in: a name must fit beside its lines.
DEPTH_SHOWN = 6


@dataclass(frozen=True)
class TagRow:
    """One line of the table. `f1` is None until the live model has learnt and judged the tag.

    `above`: the parent; `is_placed`: the line shows it by its place. `rails`: in a tree, one piece of line for each
    level further in: "pass", "fork", "end", or "" for none. `gone_into`: what the tag was merged or split into.
    """

    tag: Tag
    aliases: tuple[str, ...]
    count: TagCount
    offered: int
    f1: float | None
    threshold: float | None
    support: int
    needed: int
    above: Tag | None = None
    is_placed: bool = False
    rails: tuple[str, ...] = ()
    gone_into: tuple[str, ...] = ()

    @property
    def is_learnt(self) -> bool:
        return self.support >= self.needed > 0

    @property
    def tone(self) -> str:
        return "live" if self.f1 is not None and self.f1 >= GOOD_F1 else "wait"

    @property
    def depth(self) -> int:
        return len(self.rails)


def row(
    tag: Tag,
    count: TagCount,
    offered: int,
    judged: Mapping[str, Any],
    above: Tag | None,
    gone_into: tuple[str, ...] = (),
) -> TagRow:
    return TagRow(
        tag=tag,
        aliases=tuple(alias.name for alias in tag.aliases.all()),
        count=count,
        offered=offered,
        f1=judged.get("f1"),
        threshold=judged.get("threshold"),
        support=judged.get("support") or 0,
        needed=judged.get("needed") or 0,
        above=above,
        gone_into=gone_into,
    )


def gone_into(tags: Iterable[Tag]) -> dict[int, tuple[str, ...]]:
    """The names of what each tag was merged or split into, by its id; no entry for those that were not."""
    by_id = {tag.pk: tag for tag in tags}
    found: dict[int, tuple[str, ...]] = {}
    for tag in by_id.values():
        survivor = by_id.get(tag.merged_into_id or 0)
        if survivor is not None:
            found[tag.pk] = (survivor.name,)
        origin = by_id.get(tag.split_from_id or 0)
        if origin is not None and origin.retired_at is not None and tag.retired_at is None:
            found[origin.pk] = (*found.get(origin.pk, ()), tag.name)
    return found


def in_order(rows: list[TagRow], order: str) -> list[TagRow]:
    if order == "yes":
        return sorted(rows, key=lambda row: -row.count.yes)
    if order == "f1":
        return sorted(rows, key=lambda row: -1.0 if row.f1 is None else row.f1, reverse=True)
    return sorted(rows, key=lambda row: row.tag.key) if order == "name" else rows


def as_tree(rows: list[TagRow]) -> list[TagRow]:
    """Each line right below its parent's, where that one is among them; siblings keep their order."""
    here = {row.tag.pk for row in rows}
    below: dict[int | None, list[TagRow]] = {}
    for row in rows:
        below.setdefault(row.tag.parent_id if row.tag.parent_id in here else None, []).append(row)
    found: list[TagRow] = []
    waiting = below.pop(None, [])[::-1]
    while waiting:  # no recursion: a chain may be as long as the vocabulary
        row = waiting.pop()
        found.append(row)
        waiting += _below(row, below.get(row.tag.pk, []))[::-1]
    return found


def _below(parent: TagRow, children: list[TagRow]) -> list[TagRow]:
    """The children with their lines; those too deep to stand further in show no parent by their place."""
    passing = tuple("pass" if rail in ("pass", "fork") else "" for rail in parent.rails)[: DEPTH_SHOWN - 1]
    return [
        replace(
            child,
            rails=(*passing, "end" if child is children[-1] else "fork"),
            is_placed=len(parent.rails) < DEPTH_SHOWN,
        )
        for child in children
    ]
