"""TFRecord: a `tf.train.Example` an image, as TensorFlow's tools for classification and detection write them."""

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from annotations.exporters import tfrecord
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off
from annotations.importers.formats import base, lists
from annotations.importers.formats.base import Found, Sent, found, undeclared
from annotations.importers.formats.within import Names, Room, Staging, TooMuch
from annotations.importers.tables.base import OpenedTable, Row, place

# Shards are called `train.tfrecord-00000-of-00010`.
_FILE = re.compile(r"\.tfrecords?(?:-\d+-of-\d+)?$", re.IGNORECASE)
_PICTURE = "image/encoded"
_TEXTS = ("image/class/text", "image/object/class/text")
_NUMBERS = ("image/class/label", "image/object/class/label")
_NO, _DISPUTED = "image/class/no", "image/class/disputed"


def find(sent: Sent) -> Found | None:
    """Reads the records twice: pictures are staged here, words are read when they are stored."""
    listed = [file for file in sent.files if _FILE.search(file.name)]
    if not listed:
        return None
    labels = [one for name in ("labels.txt", "classes.txt") for one in sent.beside(listed[0], name)]
    names = lists.names(sent, labels[0]) if labels else []
    room = Room()
    pictures: list[StagedFile] = []
    tables: list[OpenedTable] = []
    errors: list[ItemError] = []
    for file in listed:
        staging = Staging(sent.area, file.name, room)
        try:
            _stage(sent, file, staging)
        except TooMuch as error:
            errors.append(broken_off(file.name, error))
        folder = staging.apart_from(pictures)
        pictures += staging.files
        tables.append(_opened(sent, file, names, folder))
    return found([*listed, *labels], tables, pictures, errors)


def _stage(sent: Sent, file: StagedFile, staging: Staging) -> None:
    names = Names(file.name)
    for number, record in _records(sent, file):
        if not isinstance(record, ItemError) and (data := _first(record, _PICTURE)):
            staging.put(names.name(_path(record), number), data, number)


def _opened(sent: Sent, file: StagedFile, names: list[str], folder: str) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file, names, folder), unit="record")


def _rows(sent: Sent, file: StagedFile, names: list[str], folder: str) -> Iterator[Row | ItemError]:
    split = base.split_of(file.name)
    paths = Names(file.name)
    for number, record in _records(sent, file):
        if isinstance(record, ItemError):
            yield record
            continue
        path = _path(record)
        tags, unknown = _tags(record, names)
        yield from (undeclared(place(file.name, number, unit="record"), one) for one in unknown)
        yield base.row(
            number,
            path=folder + paths.name(path, number) if _first(record, _PICTURE) else path,
            sha256=base.digest(_word(record, "image/key/sha256")),
            tags=tags,
            no=_words(record, _NO),
            disputed=_words(record, _DISPUTED),
            caption=_word(record, "image/caption"),
            state=_word(record, "image/state"),
            split=split,
        )


def _tags(record: Any, names: list[str]) -> tuple[list[str], list[int]]:
    """By their names; where a record has none, by numbers into the list of labels. What that lacks is unknown."""
    tags = [tag for key in _TEXTS for tag in _words(record, key)]
    if tags or not names:
        return tags, []
    numbers = [value for key in _NUMBERS if key in record for value in record[key].int64_list.value]
    known = [names[number] for number in numbers if 0 <= number < len(names)]
    return known, [number for number in numbers if not 0 <= number < len(names)]


def _records(sent: Sent, file: StagedFile) -> Iterator[tuple[int, Any]]:
    """The features of each record by name; an error where it is no Example, or where the file is damaged."""
    number = 0
    try:
        with sent.opened(file) as stream:
            for number, record in enumerate(tfrecord.records(stream), 1):
                example = tfrecord.example_class()()
                try:
                    example.ParseFromString(record)
                except DecodeError:
                    said = "Expected a tf.train.Example, got a record of another kind."
                    yield number, ItemError(place(file.name, number, unit="record"), "bad_record", said)
                    continue
                yield number, example.features.feature
    except (ValueError, OverflowError) as error:
        yield number + 1, broken_off(file.name, error)


def _path(record: Any) -> str:
    return _word(record, "image/filename") or ""


def _word(record: Any, key: str) -> str | None:
    return next(iter(_words(record, key)), None)


def _first(record: Any, key: str) -> bytes:
    values = record[key].bytes_list.value if key in record else ()
    return bytes(values[0]) if values else b""


def _words(record: Any, key: str) -> list[str]:
    values = record[key].bytes_list.value if key in record else ()
    return [value.decode("utf-8", "replace") for value in values]
