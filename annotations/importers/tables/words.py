"""What a row says of its picture: words and errors, each naming row and column. Pure: no storage, no database."""

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from annotations.exporters import cells
from annotations.importers import suggested
from annotations.importers.base import ItemError, Words, clean_path, split_tags
from annotations.importers.suggested import Suggested, UnreadableSuggestions
from annotations.importers.tables.base import Columns, Row, Table
from annotations.importers.tables.mapping import NAMES_A_PICTURE
from annotations.importers.words import MAX_DEPTH
from annotations.models.tag import name_key

_VERDICTS = {
    **dict.fromkeys(("yes", "true", "1"), "yes"),
    **dict.fromkeys(("no", "false", "0"), "no"),
    "disputed": "disputed",
    "not asked": "not asked",
    # Follows from the finished review that the row's state tells of.
    "implied no": "",
    "": "",
}
_SHA256 = re.compile("[0-9a-f]{64}")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}
_REVIEWED, _DISPUTED = "reviewed", "disputed"
# What our own tables call the two sides.
_HOLDOUT, _TRAIN = "holdout", "train"


class Said(NamedTuple):
    """A row read: how it names its picture (each may be empty), and what it says of it."""

    number: int
    path: str
    name: str
    sha256: str
    url: str
    words: Words
    errors: tuple[ItemError, ...] = ()

    @property
    def picture(self) -> tuple[str, ...]:
        """The same for rows about the same picture."""
        return self.path, self.name, self.sha256, self.url

    @property
    def reference(self) -> str:
        return self.path or self.name or self.sha256 or self.url


class _BadCell(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def said(table: Table, columns: Columns, row: Row) -> Said | ItemError:
    """Read a row. A cell that cannot be read is left out and told; a row that names no picture is refused."""
    found: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    errors: list[ItemError] = []
    for column, raw in row.cells.items():
        target = columns.target(column)
        if not target or raw is None:
            continue
        cell = cells.unguarded(raw) if columns.is_guarded and isinstance(raw, str) else raw
        try:
            if target == "metadata":
                metadata |= _metadata(column, cell)
            else:
                found[target] = _READERS[target](cell, columns)
        except _BadCell as error:
            is_part = target not in NAMES_A_PICTURE
            errors.append(ItemError(table.place(row.number, column), error.code, error.message, is_part))
    if errors and (lost := next((error for error in errors if not error.is_part), None)):
        return lost
    if not any(found.get(name) for name in NAMES_A_PICTURE):
        named = [column for column in columns.targets if columns.target(column) in NAMES_A_PICTURE]
        return ItemError(
            table.place(row.number, named[0] if named else ""),
            "no_picture_named",
            "Expected the path or name of a picture, got an empty cell.",
        )
    if columns.is_guarded and found.get("split") in (_HOLDOUT, _TRAIN):
        found.setdefault("holdout", found["split"] == _HOLDOUT)
    elif found.get("split"):
        metadata["split"] = found["split"]
    if "model_version" in found and found.get("suggestions"):
        errors += _name_model(table, columns, row, found)
    found.setdefault("verdict", "" if "verdict" in columns.targets.values() else "yes")
    disputed = _named(found, "disputed", "disputed")
    return Said(
        number=row.number,
        path=found.get("path", ""),
        name=found.get("name", ""),
        sha256=found.get("sha256", ""),
        url=found.get("url", ""),
        words=Words(
            caption=found.get("caption"),
            tags=_named(found, "tags", "yes"),
            no=_named(found, "no", "no"),
            disputed=disputed,
            not_asked=_named(found, "not_asked", "not asked"),
            holdout=found.get("holdout"),
            metadata=metadata,
            suggested=found.get("suggestions"),
            complete=_is_finished(found.get("state"), disputed),
        ),
        errors=tuple(errors),
    )


def together(first: Said, second: Said) -> Said:
    """Two rows about the same picture as one: the later caption and metadata, the tags of both."""
    words = Words(
        caption=first.words.caption if second.words.caption is None else second.words.caption,
        tags=distinct([*first.words.tags, *second.words.tags]),
        no=distinct([*first.words.no, *second.words.no]),
        disputed=distinct([*first.words.disputed, *second.words.disputed]),
        not_asked=distinct([*first.words.not_asked, *second.words.not_asked]),
        holdout=first.words.holdout if second.words.holdout is None else second.words.holdout,
        metadata={**first.words.metadata, **second.words.metadata},
        suggested=suggested.together(first.words.suggested, second.words.suggested)
        if second.words.suggested
        else first.words.suggested,
        complete=first.words.complete or second.words.complete,
    )
    return first._replace(words=words, errors=())


def settled(table: Table, row: Said) -> tuple[Words, list[ItemError]]:
    """The words of a picture once all its rows are read: a tag said to apply and not to apply is left out."""
    words = row.words
    if not words.no:
        return words, []
    yes, no = {name_key(tag) for tag in words.tags}, {name_key(tag) for tag in words.no}
    out = yes & no
    if not out:
        return words, []
    errors = [
        ItemError(
            table.place(row.number),
            "contradiction",
            f"“{tag[:60]}” is said to apply and not to apply. It was left out.",
            is_part=True,
        )
        for tag in words.tags
        if name_key(tag) in out
    ]
    return words._replace(
        tags=tuple(tag for tag in words.tags if name_key(tag) not in out),
        no=tuple(tag for tag in words.no if name_key(tag) not in out),
        # A finished review would answer the tags that are left out, and nobody has.
        complete=False,
    ), errors


def distinct(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags that differ only by case, spaces or the way an accent is written are one: the first spelling."""
    tags = tuple(tags)
    if len(tags) < 2:
        return tags
    by_key: dict[str, str] = {}
    for tag in tags:
        by_key.setdefault(name_key(tag), tag)
    return tuple(by_key.values())


def _is_finished(state: str | None, disputed: tuple[str, ...]) -> bool:
    """Where a table says that there is a dispute and not on what, the tag would count as a no."""
    return state == _REVIEWED or (state == _DISPUTED and bool(disputed))


def _named(found: Mapping[str, Any], listed: str, verdict: str) -> tuple[str, ...]:
    """The tags of a list, and the one of the row where this is its verdict; without a column of verdicts it applies."""
    tags, tag = found.get(listed, ()), found.get("tag")
    if tag and found["verdict"] == verdict:
        return distinct([*tags, tag])
    return distinct(tags) if tags else ()


def _text(cell: Any, columns: Columns) -> str:
    del columns
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool | int | float):
        return str(cell)
    raise _BadCell(
        "bad_cell",
        f"Expected text, got {_kind(cell)}. Write one value there, or take the column as metadata.",
    )


def _file(cell: Any, columns: Columns) -> str:
    """A path as it was sent: server files have absolute ones."""
    if isinstance(cell, Mapping) and isinstance(cell.get("path"), str):  # the picture's struct in Parquet
        cell = cell["path"]
    text = _text(cell, columns)
    if "\0" in text:
        raise _BadCell("bad_cell", "Expected a path, got text with a null character.")
    return text


def _name(cell: Any, columns: Columns) -> str:
    text = _file(cell, columns)
    return clean_path(text) if text else ""


def _sha256(cell: Any, columns: Columns) -> str:
    text = _text(cell, columns).lower()
    if text and not _SHA256.fullmatch(text):
        raise _BadCell("bad_sha256", f"Expected 64 hexadecimal digits, got “{text[:70]}”.")
    return text


def _caption(cell: Any, columns: Columns) -> str | None:
    """An empty cell of CSV says nothing; in JSON and Parquet an empty caption is one."""
    text = _text(cell, columns)
    return None if not text and columns.empty_is_absent else text


def _tags(cell: Any, columns: Columns) -> tuple[str, ...]:
    listed = _json_list(cell) if isinstance(cell, str) else cell
    if isinstance(listed, str):
        return split_tags(listed, columns.tags_separator)
    if isinstance(listed, list | tuple) and all(isinstance(tag, str) for tag in listed):
        return tuple(tag.strip() for tag in listed if tag.strip())
    if isinstance(listed, list | tuple):
        odd = next(tag for tag in listed if not isinstance(tag, str))
        raise _BadCell("bad_tags", f"Expected names of tags, got {_kind(odd)} among them.")
    raise _BadCell("bad_tags", f"Expected names of tags, got {_kind(listed)}.")


def _json_list(text: str) -> Any:
    """What a list written as JSON holds; any other text is itself."""
    if not text.lstrip().startswith("["):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, list) else text


def _tag(cell: Any, columns: Columns) -> str:
    return _text(cell, columns)


def _verdict(cell: Any, columns: Columns) -> str:
    text = _text(cell, columns)
    if text.lower() not in _VERDICTS:
        raise _BadCell("bad_verdict", f"Expected yes, no or disputed, got “{text[:40]}”.")
    return _VERDICTS[text.lower()]


def _flag(cell: Any, columns: Columns) -> bool | None:
    text = _text(cell, columns).lower()
    if text not in _FLAGS:
        raise _BadCell("bad_flag", f"Expected true or false, got “{text[:40]}”.")
    return _FLAGS[text]


def _suggestions(cell: Any, columns: Columns) -> Suggested | None:
    """A format has read them already."""
    del columns
    if isinstance(cell, Suggested):
        return cell
    try:
        return suggested.from_cell(cell)
    except UnreadableSuggestions as error:
        raise _BadCell(error.code, error.sentence) from error


def _model(cell: Any, columns: Columns) -> Any:
    """As it is: where the row suggests nothing, this may be any model, say of a camera."""
    del columns
    return cell


def _name_model(table: Table, columns: Columns, row: Row, found: dict[str, Any]) -> list[ItemError]:
    """Puts the model's name to what the row suggests; one that cannot be read is told."""
    try:
        name = suggested.model_name(found["model_version"])
    except UnreadableSuggestions as error:
        column = next(column for column in row.cells if columns.target(column) == "model_version")
        return [ItemError(table.place(row.number, column), error.code, error.sentence, is_part=True)]
    found["suggestions"] = found["suggestions"]._replace(model=name)
    return []


def _metadata(column: str, cell: Any) -> dict[str, Any]:
    """An object's own keys; anything else under the column's name. An empty cell says nothing."""
    if isinstance(cell, str) and cell.lstrip().startswith("{"):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise _BadCell(
                "bad_metadata", f"Expected a JSON object, got text that does not parse ({error})."
            ) from error
    if isinstance(cell, Mapping):
        return {str(key): _plain(value) for key, value in cell.items()}
    return {} if cell == "" else {column: _plain(cell)}


def _plain(value: Any, depth: int = 1) -> Any:
    """A value as JSON has it: Parquet knows times and decimals too."""
    if depth > MAX_DEPTH:
        raise _BadCell("too_deep", f"Expected at most {MAX_DEPTH} lists or objects in one another, got more.")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _kind(value: Any) -> str:
    names = {list: "a list", tuple: "a list", dict: "an object", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


_READERS = {
    "path": _file,
    "name": _name,
    "sha256": _sha256,
    "url": _text,
    "caption": _caption,
    "tags": _tags,
    "no": _tags,
    "disputed": _tags,
    "not_asked": _tags,
    "holdout": _flag,
    "suggestions": _suggestions,
    "model_version": _model,
    "tag": _tag,
    "verdict": _verdict,
    "state": _text,
    "split": _text,
}
