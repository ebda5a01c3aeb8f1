"""What an importer hands over: items whose bytes wait somewhere, and errors as values. No database here."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME_MAX_CHARS = 255
PATH_MAX_CHARS = 1_000
TAGS_SEPARATOR = "|"


@dataclass(frozen=True)
class ItemError:
    """One thing of an import that could not land, named as the sender named it."""

    item: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"item": self.item, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Words:
    """What is said of a picture beside its pixels. A caption of None was not given; "" is an empty one."""

    caption: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False


@dataclass(frozen=True)
class StagedFile:
    """Bytes that wait under a key, with the name they came by (folders included)."""

    name: str
    key: str
    words: Words = Words()


@dataclass(frozen=True)
class Batch:
    """What a source offers: files that wait, captions that came along, and what was refused on the way."""

    files: tuple[StagedFile, ...]
    words: Mapping[str, Words] = field(default_factory=dict)
    errors: tuple[ItemError, ...] = ()


@dataclass(frozen=True)
class Options:
    """How an import treats words. `complete`: its tags are all that apply, so an image counts as reviewed.

    `upload` is the same for several requests that bring one person's choice of files; they share a report.
    """

    create_tags: bool = True
    complete: bool = False
    report_unmatched: bool = True
    upload: str = ""


def clean_path(name: str) -> str:
    """A sent file name with its folders: `/` between the parts, no drive, no `.` or `..`, NFC."""
    printable = "".join(character for character in name if character.isprintable())
    parts = unicodedata.normalize("NFC", printable).replace("\\", "/").split("/")
    if parts and len(parts[0]) == 2 and parts[0].endswith(":"):
        parts = parts[1:]
    kept = [part.strip() for part in parts if part.strip() not in ("", ".", "..")]
    return "/".join(kept)[-PATH_MAX_CHARS:] or "unnamed"


def base_name(path: str) -> str:
    """The last part of a path, cut from the left so that the extension stays."""
    return path.rsplit("/", 1)[-1][-NAME_MAX_CHARS:]


def split_tags(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in text.split(TAGS_SEPARATOR) if tag.strip()))
