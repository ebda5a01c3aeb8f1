"""Files that lie beside a picture and say what it shows: `name.xmp`, `name.jpg.xmp`, `name.txt`, `name.json`.

They are taken out of a batch and become the words of their picture. One without a picture stays a file like any other.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from annotations import xmp
from annotations.errors import BadInput
from annotations.importers import damage
from annotations.importers.base import Batch, ItemError, StagedFile, Words
from annotations.importers.captions import words_from_object
from annotations.services import storage

SUFFIXES = (".xmp", ".txt", ".json")
MAX_BYTES = 2**20
# A list of tags has commas, and none of its parts is long or ends like a sentence.
_TAG_WORDS_MOST = 4
_SENTENCE = re.compile(r"[.!?]\s*$")


def is_sidecar(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def take(batch: Batch) -> Batch:
    """The batch with its sidecars read into the words of their pictures. A broken one is reported, the picture lands.

    Of several for one picture each adds what those before it did not say. A table's words come before them all.
    """
    beside = _beside(batch.files)
    if not beside:
        return batch
    words: dict[int, Words] = {}
    errors: list[ItemError] = []
    for at in sorted(beside):
        try:
            said = read(batch.files[at])
        except BadInput as error:
            errors.append(ItemError(batch.files[at].name, "caption_sidecar_unreadable", error.message))
            continue
        for picture in beside[at]:
            words[picture] = _joined(words.get(picture, batch.files[picture].words), said)
    files = [
        file._replace(words=words[at]) if at in words else file
        for at, file in enumerate(batch.files)
        if at not in beside
    ]
    return replace(batch, files=tuple(files), errors=(*batch.errors, *errors))


def paired(names: Iterable[str]) -> set[str]:
    """Those of the names that are sidecars of a picture among them."""
    listed = list(names)
    return {listed[at] for at in _beside([StagedFile(name, "") for name in listed])}


def read(file: StagedFile) -> Words:
    """What a sidecar says. Raises BadInput with the remedy for one that is not what its ending says."""
    data = storage.read(file.key, limit_bytes=MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise BadInput("Expected a sidecar of at most 1 MB, got more. The picture was taken without it.")
    return _READERS[PurePosixPath(file.name).suffix.lower()](data, file.name)


def _beside(files: Iterable[StagedFile]) -> dict[int, list[int]]:
    """Places of sidecars, each with the places of its pictures: several where they differ by their ending alone."""
    by_name: dict[str, list[int]] = defaultdict(list)
    by_stem: dict[str, list[int]] = defaultdict(list)
    listed = list(files)
    for at, file in enumerate(listed):
        if not is_sidecar(file.name):
            by_name[file.name.lower()].append(at)
            by_stem[_stem(file.name)].append(at)
    found = {}
    for at, file in enumerate(listed):
        if is_sidecar(file.name):
            stem = _stem(file.name)
            if pictures := by_name.get(stem) or by_stem.get(stem):
                found[at] = pictures
    return found


def _stem(name: str) -> str:
    """The path without its last ending, case folded: cameras and tools do not agree on `.XMP`."""
    return str(PurePosixPath(name).with_suffix("")).lower()


def _joined(had: Words, said: Words) -> Words:
    return Words(
        caption=had.caption if had.caption is not None else said.caption,
        tags=tuple(dict.fromkeys((*had.tags, *said.tags))),
        metadata={**said.metadata, **had.metadata},
        complete=had.complete or said.complete,
    )


def _xmp(data: bytes, name: str) -> Words:
    try:
        said = xmp.read(data)
    except xmp.XMP_ERRORS as error:
        raise BadInput(
            f"Expected an XMP file, got one that does not parse ({error}). The picture was taken without it."
        ) from error
    return Words(caption=said.caption or None, tags=said.tags)


def _text(data: bytes, name: str) -> Words:
    """A caption, or tags with commas between them, as tools that train image models write them."""
    text = _decoded(data).strip()
    parts = [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
    is_list = len(parts) > 1 and not any(
        len(part.split()) > _TAG_WORDS_MOST or _SENTENCE.search(part) for part in parts
    )
    if is_list:
        return Words(tags=tuple(dict.fromkeys(parts)))
    return Words(caption=text or None)


def _json(data: bytes, name: str) -> Words:
    try:
        content = json.loads(_decoded(data))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"Expected JSON, got {damage.unparsed(error)}. The picture was taken without it."
        ) from error
    if not isinstance(content, dict):
        raise BadInput("Expected an object with caption and tags. The picture was taken without it.")
    tags = content.get("tags")
    if isinstance(tags, str) and "|" not in tags:
        content["tags"] = tags.split(",")
    return words_from_object(content, item=name)


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 with its mark; else the Windows code page, in which every byte but a few is a letter."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


_READERS: dict[str, Callable[[bytes, str], Words]] = {".xmp": _xmp, ".txt": _text, ".json": _json}
