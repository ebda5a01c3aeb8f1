"""A folder a tag, as torchvision's ImageFolder and YOLO classification read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.exporters import names
from annotations.exporters.base import Dataset, Exporter, ExportRow, Facts, Files, Group, Option, Pictures
from annotations.exporters.pieces import gathered

_NAME_MAX_BYTES = 255
COPY, PRIMARY, SKIP = "copy", "primary", "skip"


def files(dataset: Dataset) -> Files:
    """The folders are made by the pictures in them; the list tells which tag a folder stands for."""
    yield "classes.txt", gathered(f"{folder(tag)}\n".encode() for tag in dataset.tag_names())


def picture_paths(row: ExportRow, options: Mapping[str, Any]) -> Sequence[str]:
    """A copy in each tag's folder, or one in the first tag's, or none where there are several."""
    tags = row.yes
    if len(tags) > 1 and options["several"] == SKIP:
        return ()
    if options["several"] == PRIMARY:
        tags = tags[:1]
    return [f"{row.split}/{folder(tag)}/{row.file}" for tag in tags]


def folder(tag: str) -> str:
    """The tag as the name of a folder, which no two tags share."""
    name = names.escaped(tag, '/\\:<>"|?*')
    return name[:-1] + "%2E" if name.endswith(".") else name


def _refusal(facts: Facts) -> str | None:
    for tag in facts.vocabulary:
        if len(folder(tag.name).encode()) > _NAME_MAX_BYTES:
            return f"“{tag.name}” is too long for the name of a folder. Rename the tag, or export as coco."
    return None


EXPORTER = Exporter(
    name="imagefolder",
    title="ImageFolder tree, YOLO classification",
    group=Group.TRAINING,
    suits="A folder a tag, for classifiers of one tag an image.",
    losses=(
        "A folder stands for one tag: what becomes of an image with several is yours to choose.",
        "Images to which nothing applies, and those that nobody has reviewed, are left out.",
        "No's, disputed tags, captions, metadata and who decided are not written.",
        "In names of folders letters that a system forbids are written as %XX. The holdout is the folder “test”.",
    ),
    files=files,
    options={
        "several": Option(
            "An image with several tags",
            {
                COPY: "is copied into each tag's folder",
                PRIMARY: "goes to the first of its tags in the alphabet",
                SKIP: "is left out",
            },
            is_required=True,
        )
    },
    pictures=Pictures.ALWAYS,
    picture_paths=picture_paths,
    refusal=_refusal,
)
