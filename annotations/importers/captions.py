"""Captions and tags that come as a table (CSV) or as JSON beside the pictures. Pure reading, no database."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotations.errors import BadInput
from annotations.importers import damage, suggested
from annotations.importers.base import ItemError, Words, clean_path, split_tags
from annotations.importers.tables.base import checked_columns, listed

NAME_COLUMNS = ("name", "filename", "file", "file_name", "image")
CAPTION_COLUMN = "caption"
TAGS_COLUMN = "tags"
_READ = frozenset((*NAME_COLUMNS, CAPTION_COLUMN, TAGS_COLUMN))
MAX_TABLE_BYTES = 64 * 2**20

Table = tuple[dict[str, Words], tuple[ItemError, ...]]


def read_captions(data: bytes, *, source_name: str) -> Table:
    """Read a captions file by its ending, else by its first character: JSON or CSV."""
    text = _text(data, source_name)
    is_json = source_name.lower().endswith(".json") or text.lstrip()[:1] in ("{", "[")
    if is_json and not source_name.lower().endswith(".csv"):
        return read_json_captions(text, source_name=source_name)
    return read_csv_captions(text, source_name=source_name)


def read_csv_captions(text: str, *, source_name: str) -> Table:
    """Columns `name` (or filename, file) and `caption`, optional `tags` separated by |; others are ignored."""
    rows = _csv_rows(text, source_name)
    header = _header(next(rows, []), source_name)
    name_at = _column(header, NAME_COLUMNS, source_name)
    caption_at = _column(header, (CAPTION_COLUMN,), source_name)
    tags_at = header.index(TAGS_COLUMN) if TAGS_COLUMN in header else None
    words: dict[str, Words] = {}
    errors: list[ItemError] = []
    for line, row in enumerate(rows, start=2):
        name = _cell(row, name_at)
        if not name:
            if any(cell.strip() for cell in row):
                errors.append(_no_name(source_name, line))
            continue
        tags = split_tags(_cell(row, tags_at)) if tags_at is not None else ()
        _put(words, errors, name, Words(caption=_cell(row, caption_at) or None, tags=tags), source_name)
    return words, tuple(errors)


def read_json_captions(text: str, *, source_name: str) -> Table:
    """`{file name: caption}`, `{file name: {caption, tags, metadata}}` or a list of objects with a name."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{source_name}: expected JSON, got {damage.unparsed(error)}. Correct it and send it again.",
            code="bad_json",
            file=source_name,
        ) from error
    return captions_from_object(content, source_name=source_name)


def captions_from_object(content: object, *, source_name: str) -> Table:
    """The same from JSON that has been parsed already."""
    words: dict[str, Words] = {}
    errors: list[ItemError] = []
    for name, value in _named_values(content, source_name):
        _put(words, errors, name, words_from_object(value, item=name), source_name)
    return words, tuple(errors)


def words_from_object(value: object, *, item: str) -> Words:
    """The caption, tags, metadata and suggestions of one item."""
    if value is None or isinstance(value, str):
        return Words(caption=value)
    if not isinstance(value, Mapping):
        raise _bad_value(item, "caption", "text or an object with a caption", value)
    caption, tags, metadata = value.get("caption"), value.get("tags", ()), value.get("metadata", {})
    if caption is not None and not isinstance(caption, str):
        raise _bad_value(item, "caption", "text", caption)
    if isinstance(tags, str):
        tags = split_tags(tags)
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise _bad_value(item, "tags", "a list of names", tags)
    if not isinstance(metadata, Mapping):
        raise _bad_value(item, "metadata", "an object", metadata)
    named = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    return Words(
        caption=caption,
        tags=named,
        metadata=dict(metadata),
        complete=value.get("complete") is True,
        suggested=suggested.read(value.get("suggestions"), value.get("model_version"), item=item),
    )


def _named_values(content: object, source_name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        yield from content.items()
        return
    if not isinstance(content, list):
        raise _bad_value(
            source_name, "captions", "an object of file name to caption, or a list of objects", content
        )
    for position, entry in enumerate(content):
        name = (
            next((entry.get(key) for key in NAME_COLUMNS if entry.get(key)), None)
            if isinstance(entry, Mapping)
            else None
        )
        if not isinstance(name, str):
            raise _bad_value(
                f"{source_name}[{position}]", "name", "an object with a file name under `name`", entry
            )
        yield name, entry


def _text(data: bytes, source_name: str) -> str:
    if len(data) > MAX_TABLE_BYTES:
        raise BadInput(
            f"{source_name}: expected at most {MAX_TABLE_BYTES // 2**20} MB of captions, "
            f"got {len(data) / 2**20:,.0f} MB. Split the import.",
            code="captions_too_large",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _not_utf8(source_name, 0, "UTF-16, by its first two bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_utf8(source_name, error.start, f"byte 0x{data[error.start]:02X} in line {line}") from error


def _not_utf8(source_name: str, offset: int, got: str) -> BadInput:
    return BadInput(
        f"{source_name}: expected UTF-8, got {got} at byte offset {offset}. "
        "Save the table as “CSV UTF-8” and send it again.",
        code="not_utf8",
        file=source_name,
        offset=offset,
    )


def _csv_rows(text: str, source_name: str) -> Iterator[list[str]]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise BadInput(
            f"{source_name}: line {reader.line_num} is not CSV ({error}). Correct it and send it again.",
            code="bad_csv",
            file=source_name,
            line=reader.line_num,
        ) from error


def _header(cells: list[str], source_name: str) -> list[str]:
    """The columns in small letters. Raises BadInput for very many, and for two alike among those that are read."""
    header = [cell.strip().lower() for cell in cells]
    if header:
        read = [name if name in _READ else f"column {at}" for at, name in enumerate(header, start=1)]
        checked_columns(read, source_name)
    return header


def _column(header: list[str], names: tuple[str, ...], source_name: str) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    found = listed(tuple(filter(None, header))) or "none"
    wanted = " or ".join(f"“{name}”" for name in names[:3])
    raise BadInput(
        f"{source_name}: expected a column {wanted}, got {found}. Name it in the first line and send it again.",
        code="missing_column",
        file=source_name,
        column=names[0],
        found=header,
    )


def _cell(row: list[str], position: int) -> str:
    return row[position].strip() if position < len(row) else ""


def _no_name(source_name: str, line: int) -> ItemError:
    return ItemError(
        f"{source_name}, line {line}", "caption_without_name", "Expected a file name, got an empty cell."
    )


def _put(words: dict[str, Words], errors: list[ItemError], name: str, value: Words, source_name: str) -> None:
    path = clean_path(name)
    if path in words:
        errors.append(
            ItemError(
                name,
                "caption_repeated",
                f"{source_name} names “{name}” more than once; the first one was taken.",
            )
        )
        return
    words[path] = value


def _bad_value(item: str, what: str, expected: str, got: object) -> BadInput:
    return BadInput(
        f"{item}: expected {what} to be {expected}, got {type(got).__name__}.", code="bad_captions", item=item
    )
