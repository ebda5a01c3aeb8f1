"""What an importer hands over: items whose bytes wait somewhere, and errors as values. No database here.

Of what there are millions is a tuple: a frozen dataclass takes four times as long to make.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from annotations.importers.suggested import Suggested

if TYPE_CHECKING:
    from annotations.importers.tables.base import OpenedTable

NAME_MAX_CHARS = 255
PATH_MAX_CHARS = 1_000
TAGS_SEPARATOR = "|"


@dataclass(frozen=True)
class ItemError:
    """One thing of an import that could not land, named as the sender named it.

    `is_part`: only a part is lost, say a tag; the picture itself lands and is not counted as refused.
    """

    item: str
    code: str
    message: str
    is_part: bool = False

    def as_json(self) -> dict[str, str]:
        return {"item": self.item, "code": self.code, "message": self.message}


class BringError(Exception):
    """Why the bytes of one item cannot be had from where they lie; the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Words(NamedTuple):
    """What is said of a picture beside its pixels. A caption of None was not given; "" is an empty one.

    `tags` apply; of the tags in `no` somebody said that they do not, of those in `disputed` people disagree. A complete
    picture was finished: all other tags are a no, but for those `not_asked`. `holdout` is the side that it was on.
    """

    caption: str | None = None
    tags: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    holdout: bool | None = None
    metadata: Mapping[str, Any] = MappingProxyType({})
    complete: bool = False
    suggested: Suggested | None = None


class StagedFile(NamedTuple):
    """Bytes that wait under a key, with the name they came by (folders included) and, where known, their sha256.

    `of_folder` is what the folder in which it lies says of it, whatever else is said.
    """

    name: str
    key: str
    words: Words = Words()
    sha256: str = ""
    of_folder: Words = Words()


class KnownImage(NamedTuple):
    """Words for a picture that should be in the project already, found by its sha256, else by path or name.

    `otherwise` takes its place where the project has no such image: the error to tell, or where to get the bytes.
    None: just that it is nowhere.
    """

    item: str
    name: str
    words: Words
    otherwise: ItemError | StagedFile | None = None
    sha256: str = ""


Offered = StagedFile | KnownImage | ItemError


@dataclass(frozen=True)
class Batch:
    """What a source offers: files that wait, captions that came along, and what was refused on the way.

    `listing` is a place (bucket/prefix) whose files the worker lists first.
    `tables` say more of the files, and of images elsewhere. They and `rows`, which have their words with them, may
    bring a million items: they are read as they are stored. `unread`: the worker stores them, and opens the tables once
    more by the list under this key.
    """

    files: tuple[StagedFile, ...]
    words: Mapping[str, Words] = field(default_factory=dict)
    errors: tuple[ItemError, ...] = ()
    listing: str = ""
    tables: tuple["OpenedTable", ...] = ()
    rows: Iterable[Offered] = ()
    unread: str = ""


@dataclass(frozen=True)
class Options:
    """How an import treats words. `complete`: its tags are all that apply, so an image counts as reviewed.
    `file_keywords`: keywords inside the files are tags too, and a caption inside one fills an empty caption.

    `upload` is the same for several requests that bring one person's choice of files; they share a report.
    """

    create_tags: bool = True
    complete: bool = False
    report_unmatched: bool = True
    file_keywords: bool = False
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


def split_tags(text: str, separator: str = TAGS_SEPARATOR) -> tuple[str, ...]:
    r"""The names in one cell; a separator or backslash within a name has a backslash before it.

    >>> split_tags(r"dog | black\|white | dog")
    ('dog', 'black|white')
    """
    mark = re.escape(separator)
    pieces = re.findall(rf"(?:\\[\\{mark}]|[^{mark}])+", text)
    names = (re.sub(rf"\\([\\{mark}])", r"\1", piece).strip() for piece in pieces)
    return tuple(dict.fromkeys(name for name in names if name))
