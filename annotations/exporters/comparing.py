"""What differs between two datasets: images added, removed and changed, and the tags that moved."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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


def compare(before: Iterable[ExportRow], after: Iterable[ExportRow]) -> Comparison:
    """Both by ascending sha256; a row of each in memory."""
    found = Comparison()
    yes_before: Counter[str] = Counter()
    yes_after: Counter[str] = Counter()
    for old, new in _paired(before, after):
        yes_before.update(old.yes if old else ())
        yes_after.update(new.yes if new else ())
        _note(found, old, new)
    found.tags = [
        TagChange(name, yes_before[name], yes_after[name])
        for name in sorted(yes_before.keys() | yes_after.keys())
        if yes_before[name] != yes_after[name]
    ]
    return found


def _paired(
    before: Iterable[ExportRow], after: Iterable[ExportRow]
) -> Iterator[tuple[ExportRow | None, ExportRow | None]]:
    """Rows of the same image together; one that only one side has, alone."""
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.sha256 < new.sha256):
            yield old, None
            old = next(olds, None)
        elif old is None or new.sha256 < old.sha256:
            yield None, new
            new = next(news, None)
        else:
            yield old, new
            old, new = next(olds, None), next(news, None)


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
