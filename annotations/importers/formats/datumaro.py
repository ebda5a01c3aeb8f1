"""Datumaro: items with labels by number, captions, and in our own the attributes that nothing else has a place for."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off, not_an_object
from annotations.importers.formats import base
from annotations.importers.formats.base import Sent, text, undeclared
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements
from annotations.importers.tables.base import OpenedTable, Row, place

_LABELS, _ITEMS = ("categories", "label", "labels"), ("items", ANY)
_GEOMETRY = frozenset({"points", "rle", "bbox"})


def opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file), unit="item")


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    names = _names(sent, file)
    split = base.split_of(file.name)
    try:
        with sent.opened(file) as stream:
            for number, (_, value) in enumerate(elements(stream, (_ITEMS,), without=_GEOMETRY), 1):
                item = place(file.name, number, unit="item")
                if isinstance(value, Mapping):
                    yield from _item(sent, file, number, value, names, split)
                else:
                    yield not_an_object(item, value)
    except JSON_ERRORS as error:
        yield broken_off(file.name, error)


def _names(sent: Sent, file: StagedFile) -> list[Any]:
    try:
        with sent.opened(file) as stream:
            labels = next((value for _, value in elements(stream, (_LABELS,))), None)
    except JSON_ERRORS:
        labels = None
    listed = labels if isinstance(labels, list) else []
    return [label.get("name") if isinstance(label, Mapping) else label for label in listed]


def _item(
    sent: Sent, file: StagedFile, number: int, value: Mapping[str, Any], names: list[Any], split: str
) -> Iterator[Row | ItemError]:
    item = place(file.name, number, unit="item")
    tags: list[str] = []
    caption = None
    for said in value.get("annotations") or []:
        if not isinstance(said, Mapping):
            yield not_an_object(item, said, is_part=True)
            continue
        if said.get("type") == "caption":
            caption = text(said.get("caption"))
        if (label := said.get("label_id")) is None:
            continue
        if isinstance(label, int) and 0 <= label < len(names) and isinstance(names[label], str):
            tags.append(names[label])
        else:
            yield undeclared(item, label)
    image = value.get("image")
    path = text(image.get("path")) if isinstance(image, Mapping) else None
    key = text(value.get("id")) or ""
    located = sent.located(path, file.name, split) if path else sent.by_stem(key, file.name, split)
    ours = _ours(value.get("attr"), caption)
    yield base.row(number, **{"path": located, "tags": tags, "caption": caption, "split": split} | ours)


def _ours(attributes: Any, caption: str | None) -> dict[str, Any]:
    """What our own export keeps in attributes; those of other tools are theirs."""
    if not isinstance(attributes, Mapping) or not base.digest(attributes.get("sha256")):
        return {}
    kept = ("sha256", "state", "no", "disputed", "not_asked", "metadata")
    return {key: attributes.get(key) for key in kept} | {
        "path": text(attributes.get("path")) or text(attributes.get("name")),
        "holdout": attributes.get("is_holdout"),
        # The split is how the export tells the side.
        "split": None,
        # No caption is an empty one.
        **({} if caption else {"caption": ""}),
    }
