"""Formats that are one JSON document a split: which of them a document is, told by its outermost keys."""

from collections.abc import Callable, Mapping
from typing import Any

from annotations.importers import sidecars
from annotations.importers.base import StagedFile
from annotations.importers.formats import coco, datumaro, fiftyone, label_studio
from annotations.importers.formats.base import Found, Sent, found
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements, keys
from annotations.importers.tables.base import OpenedTable

Reader = Callable[[Sent, StagedFile], OpenedTable]
_BY_KEYS: Mapping[Reader, tuple[frozenset[str], ...]] = {
    coco.opened: (frozenset({"images", "annotations"}), frozenset({"images", "categories"})),
    datumaro.opened: (frozenset({"dm_format_version"}), frozenset({"items", "categories"})),
    fiftyone.opened: (frozenset({"classes", "labels"}),),
}
# What some of them write beside their document.
_COMPANIONS = ("config.xml",)


def find(sent: Sent) -> Found | None:
    listed = sent.ending(".json")
    beside = sidecars.paired(file.name for file in sent.files) if listed else set()
    used: list[StagedFile] = []
    tables: list[OpenedTable] = []
    for file in listed:
        reader = None if file.name in beside else _reader(sent, file)
        if reader:
            tables.append(reader(sent, file))
            used.append(file)
            if reader is label_studio.opened:
                used += [one for name in _COMPANIONS for one in sent.beside(file, name)]
    return found(used, tables) if used else None


def _reader(sent: Sent, file: StagedFile) -> Reader | None:
    with sent.opened(file) as stream:
        outermost = keys(stream, _of_keys)
    if outermost:
        return _of_keys(outermost)
    with sent.opened(file) as stream:
        return label_studio.opened if label_studio.is_task(_first(stream)) else None


def _of_keys(outermost: set[str]) -> Reader | None:
    return next(
        (reader for reader, known in _BY_KEYS.items() if any(one <= outermost for one in known)), None
    )


def _first(stream: Any) -> Any:
    """The first element of a list; None of what is none."""
    try:
        return next((value for _, value in elements(stream, ((ANY,),))), None)
    except JSON_ERRORS:
        return None
