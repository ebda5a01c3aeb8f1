"""FiftyOne classification: `labels` maps the file without its ending to tags, by name or by place in `classes`."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off
from annotations.importers.formats import base
from annotations.importers.formats.base import Sent, undeclared
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements
from annotations.importers.tables.base import OpenedTable, Row, place

_CLASSES, _LABELS = ("classes",), ("labels", ANY)


def opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file), unit="label")


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    names = _classes(sent, file)
    try:
        with sent.opened(file) as stream:
            for number, (path, said) in enumerate(elements(stream, (_LABELS,)), 1):
                tags, unknown = _tags(said, names)
                item = place(file.name, number, unit="label")
                yield from (undeclared(item, one) for one in unknown)
                yield base.row(number, path=sent.by_stem(path[-1], file.name), tags=tags)
    except JSON_ERRORS as error:
        yield broken_off(file.name, error)


def _classes(sent: Sent, file: StagedFile) -> list[Any]:
    try:
        with sent.opened(file) as stream:
            classes = next((value for _, value in elements(stream, (_CLASSES,))), None)
    except JSON_ERRORS:
        return []
    return classes if isinstance(classes, list) else []


def _tags(said: Any, names: list[Any]) -> tuple[list[str], list[Any]]:
    """The tags, and what is none: one label or several, each a name, a number, or an object that holds one."""
    tags: list[str] = []
    unknown: list[Any] = []
    for label in said if isinstance(said, list) else [] if said is None else [said]:
        name = label.get("label") if isinstance(label, Mapping) else label
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
            name = names[name]
        if isinstance(name, str):
            tags.append(name)
        else:
            unknown.append(name)
    return tags, unknown
