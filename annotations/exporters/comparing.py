"""What differs between two datasets: images added, removed and changed, and the tags that moved."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from annotations.exporters import frozen
from annotations.exporters.base import ExportRow

MAX_EXAMPLES = 50
_FIELDS = (
    *("yes", "no", "disputed", "not_asked", "caption", "is_reviewed", "split", "name", "path", "metadata"),
)


@dataclass(frozen=True)
class Difference:
    """One image that differs. `fields` names what changed; tags are those that got and lost a yes."""

    sha256: str
    name: str
    image_id: int
    fields: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagChange:
    """How many images have a yes of one tag, before and after."""

    name: str
    before: int
    after: int


@dataclass
class Comparison:
    """Counts of everything, and of each kind the first examples by sha256."""

    same: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    added: list[Difference] = field(default_factory=list)
    removed: list[Difference] = field(default_factory=list)
    changed: list[Difference] = field(default_factory=list)
    by_field: Counter[str] = field(default_factory=Counter)
    tags: list[TagChange] = field(default_factory=list)


def compare(before: Iterable[bytes], after: Iterable[bytes]) -> Comparison:
    """Lines of two files, both by ascending sha256; a row of each in memory. Equal lines are not made into rows."""
    found = Comparison()
    yes_before: Counter[str] = Counter()
    yes_after: Counter[str] = Counter()
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if old == new and old is not None:
            found.same += 1
            yes = frozen.yes_of(old)
            yes_before.update(yes)
            yes_after.update(yes)
            old, new = next(olds, None), next(news, None)
            continue
        old_row, new_row = _next_pair(old, new)
        yes_before.update(old_row.yes if old_row else ())
        yes_after.update(new_row.yes if new_row else ())
        _note(found, old_row, new_row)
        old = next(olds, None) if old_row else old
        new = next(news, None) if new_row else new
    found.tags = [
        TagChange(name, yes_before[name], yes_after[name])
        for name in sorted(yes_before.keys() | yes_after.keys())
        if yes_before[name] != yes_after[name]
    ]
    return found


def _next_pair(old: bytes | None, new: bytes | None) -> tuple[ExportRow | None, ExportRow | None]:
    """The rows of two unequal lines where they are of one image; else the one that comes first, alone."""
    one, other = (None if line is None else frozen.thawed(line) for line in (old, new))
    if one is None or other is None or one.sha256 == other.sha256:
        return one, other
    return (one, None) if one.sha256 < other.sha256 else (None, other)


def _note(found: Comparison, old: ExportRow | None, new: ExportRow | None) -> None:
    if old is None and new is not None:
        _keep(
            found,
            "added",
            found.added,
            Difference(new.sha256, new.path or new.name, new.id, gained=tuple(new.yes)),
        )
    elif new is None and old is not None:
        gone = Difference(old.sha256, old.path or old.name, old.id, lost=tuple(old.yes))
        _keep(found, "removed", found.removed, gone)
    elif old is not None and new is not None:
        fields = tuple(name for name in _FIELDS if getattr(old, name) != getattr(new, name))
        if not fields:
            found.same += 1
            return
        found.by_field.update(fields)
        yes, was = set(new.yes), set(old.yes)
        changed = Difference(
            new.sha256,
            new.path or new.name,
            new.id,
            fields,
            tuple(sorted(yes - was)),
            tuple(sorted(was - yes)),
        )
        _keep(found, "changed", found.changed, changed)


def _keep(found: Comparison, kind: str, examples: list[Difference], one: Difference) -> None:
    found.counts[kind] += 1
    if len(examples) < MAX_EXAMPLES:
        examples.append(one)
