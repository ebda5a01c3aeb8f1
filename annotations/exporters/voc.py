"""Pascal VOC image sets: a list a tag that says of every image 1, -1 or 0."""

import contextlib
import tempfile

from annotations.exporters import names, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Facts, Files, Group, Needs
from annotations.exporters.pieces import gathered, of_stream

MAX_LINES = 300_000_000
TAGS_A_PASS = 200
"""Files open at a time: the rows are passed through once for so many tags."""
_FOLDER = "ImageSets/Main"
_NAME_MAX_BYTES = 255
_ENDING_BYTES = len("_train.txt")


def files(dataset: Dataset) -> Files:
    """1 where the tag applies, -1 where it does not, 0 where people differ or nobody was asked."""
    tags = dataset.tag_names()
    yield "labelmap.txt", gathered(f"{_escaped(tag)}:::\n".encode() for tag in tags)
    for split in dataset.facts.split_names:
        stems = (f"{names.stem(row.file)}\n".encode() for row in dataset.of_split(split))
        yield f"{_FOLDER}/{split}.txt", gathered(stems)
        for first in range(0, len(tags), TAGS_A_PASS):
            yield from _lists(dataset, split, tags[first : first + TAGS_A_PASS])


def _lists(dataset: Dataset, split: str, tags: list[str]) -> Files:
    """The lists of some tags, written side by side in one pass."""
    with contextlib.ExitStack() as stack:
        lists = {tag: stack.enter_context(tempfile.TemporaryFile()) for tag in tags}
        for row in dataset.of_split(split):
            key = names.stem(row.file)
            said = _said(row)
            for tag, target in lists.items():
                target.write(f"{key} {said.get(tag, 0)}\n".encode())
        for tag, written in lists.items():
            written.seek(0)
            yield f"{_FOLDER}/{_escaped(tag)}_{split}.txt", of_stream(written)


def _said(row: ExportRow) -> dict[str, int]:
    return {**dict.fromkeys(row.implied_no, -1), **dict.fromkeys(row.no, -1), **dict.fromkeys(row.yes, 1)}


def _escaped(tag: str) -> str:
    """A colon ends a field of the label map, a slash is a folder, and a line that begins with # is a comment."""
    return names.escaped(tag, "/\\:#")


def _refusal(facts: Facts) -> str | None:
    for tag in facts.vocabulary:
        if len(_escaped(tag.name).encode()) + _ENDING_BYTES > _NAME_MAX_BYTES:
            return f"“{tag.name}” is too long for the name of a file. Rename the tag, or export as coco."
    if facts.images * len(facts.vocabulary) <= MAX_LINES:
        return None
    return (
        f"{facts.images:,} images in a list for each of {len(facts.vocabulary):,} tags are more than "
        f"{MAX_LINES:,} lines. Export fewer images, or as csv or coco."
    )


EXPORTER = Exporter(
    name="voc",
    title="Pascal VOC image sets",
    group=Group.TRAINING,
    suits="A list a tag that says yes, no or not known of every image.",
    losses=(
        "A disputed tag and one that nobody was asked about are both 0; explicit and implied no's are both -1.",
        "Captions, metadata and who decided are not written.",
        "In names of tags / : # \\ and % are written as %2F, %3A, %23, %5C and %25.",
        "The holdout is the set “test”.",
    ),
    files=files,
    needs=lambda options: Needs(implied_no=True),
    picture_paths=lambda row, options: (f"JPEGImages/{row.file}",),
    recount=lambda written: (
        recounts.lines(f"{_FOLDER}/train.txt")(written) + recounts.lines(f"{_FOLDER}/test.txt")(written)
    ),
    refusal=_refusal,
)
