"""JSON Lines that name pictures by their address in a cloud: SageMaker's manifests and Vertex AI's import files."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotations.errors import BadInput
from annotations.importers.base import ItemError, StagedFile, clean_path
from annotations.importers.formats import base
from annotations.importers.formats.base import Found, Sent, found, text, undeclared
from annotations.importers.tables import json_lines
from annotations.importers.tables.base import OpenedTable, Row, place

_SAGEMAKER, _VERTEX = "source-ref", "imageGcsUri"
_METADATA = "-metadata"
_USES = {"training": "train", "validation": "validation", "test": "test"}
_USE = "aiplatform.googleapis.com/ml_use"
_START_BYTES = 2**16


def find(sent: Sent) -> Found | None:
    listed = [file for file in sent.ending(".manifest", ".jsonl", ".ndjson") if _is_addressed(sent, file)]
    return found(listed, [_opened(sent, file) for file in listed]) if listed else None


def _is_addressed(sent: Sent, file: StagedFile) -> bool:
    with sent.opened(file) as stream:
        start = stream.read(_START_BYTES)
    try:
        first = json.loads(start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0])
    except (ValueError, RecursionError):
        # Of a long first line the key tells; a caption may hold the word, but not so.
        return any(f'"{key}":"'.encode() in start.replace(b" ", b"") for key in (_SAGEMAKER, _VERTEX))
    return isinstance(first, dict) and bool({_SAGEMAKER, _VERTEX} & first.keys())


def _opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file), unit="line")


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    try:
        lines = json_lines.table(lambda: sent.opened(file), file.name)
    except BadInput as error:
        yield ItemError(file.name, error.code, error.message)
        return
    for line in lines.rows():
        if isinstance(line, ItemError):
            yield line
            continue
        item = place(file.name, line.number, unit="line")
        address = text(line.cells.get(_SAGEMAKER)) or text(line.cells.get(_VERTEX)) or ""
        is_vertex = _VERTEX in line.cells
        split = _use(line.cells) if is_vertex else base.split_of(file.name)
        tags, unknown = _vertex(line.cells) if is_vertex else _sagemaker(line.cells)
        yield from (undeclared(item, one) for one in unknown)
        yield base.row(line.number, path=_path(sent, file, address, split), tags=tags, split=split)


def _path(sent: Sent, file: StagedFile, address: str, split: str) -> str:
    """The sent file; else the path within the bucket, below the folder in which our exports keep pictures."""
    path = sent.located(address, file.name, split)
    if path in sent.by_name or not path:
        return path
    scheme, mark, rest = path.partition("://")
    within = rest.partition("/")[2] if mark else scheme
    return clean_path(within).removeprefix("images/")


def _vertex(line: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    listed: list[Any] = []
    for key in ("classificationAnnotations", "boundingBoxAnnotations"):
        listed += several if isinstance(several := line.get(key), list) else []
    listed += [line["classificationAnnotation"]] if "classificationAnnotation" in line else []
    names = [one.get("displayName") if isinstance(one, Mapping) else one for one in listed]
    return [one for one in names if isinstance(one, str)], [one for one in names if not isinstance(one, str)]


def _use(line: Mapping[str, Any]) -> str:
    labels = line.get("dataItemResourceLabels")
    use = labels.get(_USE) if isinstance(labels, Mapping) else None
    return _USES.get(use, "") if isinstance(use, str) else ""


def _sagemaker(line: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """Every attribute that has metadata: several classes, one class, or boxes with classes."""
    tags: list[str] = []
    unknown: list[Any] = []
    for key, value in line.items():
        about = line.get(f"{key}{_METADATA}")
        if not isinstance(about, Mapping):
            continue
        names = about.get("class-map")
        if not isinstance(names, Mapping):
            tags += [name] if (name := text(about.get("class-name"))) else []
            continue
        for number in _numbers(value):
            name = text(names.get(str(number)))
            tags += [name] if name else []
            unknown += [] if name else [number]
    return tags, unknown


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        boxes = value.get("annotations")
        return (
            [box.get("class_id") for box in boxes if isinstance(box, Mapping)]
            if isinstance(boxes, list)
            else []
        )
    return value if isinstance(value, list) else [value]
