"""Pascal VOC: image sets, a list a tag that says 1, -1 or 0 of each image, and annotations with an object a tag."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from annotations.importers.base import ItemError, StagedFile, clean_path
from annotations.importers.damage import broken_off
from annotations.importers.formats import base, lists, xml
from annotations.importers.formats.base import Found, Sent, found, part
from annotations.importers.formats.spool import NO, YES, Spool
from annotations.importers.tables.base import OpenedTable, Row, place

_FOLDER = "imagesets/main/"
_LIST = re.compile(r"(?:(?P<tag>.+)_)?(?P<split>train|val|trainval|test)\.txt", re.IGNORECASE)
_BOTH = "trainval"
_VERDICTS = {"1": YES, "-1": NO, "0": None}


def find(sent: Sent) -> Found | None:
    listed = [file for file in sent.ending(".txt") if _is_list(file.name)]
    boxes = [file for file in sent.ending(".xml") if xml.root(sent, file) == "annotation"]
    if not listed and not boxes:
        return None
    root = listed[0].name.lower().partition(_FOLDER)[0] if listed else ""
    maps = [file for file in sent.named("labelmap.txt") if file.name.lower() == f"{root}labelmap.txt"]
    tables = [_sets(sent, listed, maps)] if listed else []
    tables += [_boxes(sent, boxes)] if boxes else []
    return found([*listed, *boxes, *maps], tables)


def _is_list(name: str) -> bool:
    folder, file = f"/{name}".lower().rpartition("/")[::2]
    return f"{folder}/".endswith(f"/{_FOLDER}") and _LIST.fullmatch(file) is not None


def _sets(sent: Sent, listed: list[StagedFile], maps: list[StagedFile]) -> OpenedTable:
    name = listed[0].name.rpartition("/")[0]
    return base.table(name, lambda: _rows(sent, _once(listed), _spellings(sent, maps)))


def _spellings(sent: Sent, maps: list[StagedFile]) -> dict[str, str]:
    """Tags as the label map writes them: systems spell the names of files anew."""
    written = (unquote(line.partition(":")[0]) for file in maps for line in lists.names(sent, file))
    return {clean_path(tag): tag for tag in written if tag}


def _once(listed: list[StagedFile]) -> list[StagedFile]:
    """Without the lists of both splits together, where each has its own."""
    alone = [file for file in listed if _said(file)[1] != _BOTH]
    return alone if any(_said(file)[1] in ("train", "val") for file in alone) else listed


def _said(file: StagedFile) -> tuple[str, str]:
    """The tag of a list and its split; the list of all images of a split has no tag."""
    match = _LIST.fullmatch(file.name.rpartition("/")[2])
    assert match is not None
    return unquote(match["tag"] or ""), match["split"].lower()


def _rows(sent: Sent, listed: list[StagedFile], spellings: dict[str, str]) -> Iterator[Row | ItemError]:
    with Spool() as spool:
        for file in listed:
            tag, split = _said(file)
            tag = spellings.get(clean_path(tag), tag) if tag else ""
            for number, line in lists.lines(sent, file):
                if isinstance(line, ItemError):
                    yield line
                    continue
                key, verdict = _verdict(line) if tag else (line.strip(), "0")
                spool.add(key, number, {"path": sent.by_stem(key, file.name, split), "split": split})
                if verdict not in _VERDICTS:
                    said = f"Expected 1, -1 or 0 behind the name, got “{verdict[:40]}”."
                    yield part(place(file.name, number, unit="line"), "bad_verdict", said)
                elif (value := _VERDICTS[verdict]) is not None:
                    spool.say(key, tag, value)
        for number, (_, cells, yes, no) in enumerate(spool.images(), 1):
            yield base.row(number, **cells, tags=yes, no=no)


def _verdict(line: str) -> tuple[str, str]:
    """A name may hold spaces: the verdict is the last word."""
    key, _, verdict = line.rstrip().rpartition(" ")
    return key.rstrip(), verdict


def _boxes(sent: Sent, listed: list[StagedFile]) -> OpenedTable:
    folder = listed[0].name.rpartition("/")[0] or "Annotations"
    return base.table(folder, lambda: _rows_of_boxes(sent, listed))


def _rows_of_boxes(sent: Sent, listed: list[StagedFile]) -> Iterator[Row | ItemError]:
    for number, file in enumerate(listed, 1):
        try:
            with sent.opened(file) as stream:
                for annotation in xml.elements(stream, "annotation"):
                    name = (annotation.findtext("filename") or "").strip()
                    stem = file.name.rpartition("/")[2].removesuffix(".xml")
                    tags = [(one.findtext("name") or "").strip() for one in annotation.iter("object")]
                    found_by_name = sent.located(name, file.name)
                    path = found_by_name if found_by_name in sent.by_name else sent.by_stem(stem, file.name)
                    yield base.row(number, path=path if path in sent.by_name else name or path, tags=tags)
        except xml.XML_ERRORS as error:
            yield broken_off(file.name, error)
