"""CVAT for images: XML with an element an image. Its tags, and the labels of its boxes and other shapes, are tags."""

import re
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off
from annotations.importers.formats import base, xml
from annotations.importers.formats.base import Found, Sent, found
from annotations.importers.tables.base import OpenedTable, Row

# Our own export has written control characters so, for which XML has no place.
_ESCAPED = re.compile("(?:%[0-9A-F]{2})+")
_ROOT, _IMAGE = "annotations", "image"


def find(sent: Sent) -> Found | None:
    listed = [file for file in sent.ending(".xml") if xml.root(sent, file) == _ROOT]
    return found(listed, [_opened(sent, file) for file in listed]) if listed else None


def _opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file))


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    try:
        with sent.opened(file) as stream:
            for number, image in enumerate(xml.elements(stream, _IMAGE), 1):
                yield _row(sent, file, number, image)
    except xml.XML_ERRORS as error:
        yield broken_off(file.name, error)


def _row(sent: Sent, file: StagedFile, number: int, image: Element) -> Row:
    split = image.get("subset") or base.split_of(file.name)
    path = sent.located(_read(image.get("name") or ""), file.name, split)
    tags = [_read(label) for child in image if (label := child.get("label"))]
    return base.row(number, path=path, tags=tags, split=split)


def _read(text: str) -> str:
    return _ESCAPED.sub(lambda match: _unescaped(match[0]), text) if "%" in text else text


def _unescaped(escaped: str) -> str:
    letters = unquote(escaped)
    return escaped if any(letter.isprintable() for letter in letters) or "\ufffd" in letters else letters
