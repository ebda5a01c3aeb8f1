"""COCO labels: a JSON document a split, with an annotation an image and tag."""

from collections.abc import Iterator
from typing import Any

from annotations.exporters import recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Option
from annotations.exporters.pieces import json_object

FIRST_CATEGORY = 1
"""Readers take category 0 for “none”."""


def files(dataset: Dataset) -> Files:
    """Image ids are counted over all splits, so that two documents can be joined."""
    numbers = dataset.tag_numbers(FIRST_CATEGORY)
    first = 1
    for split in dataset.facts.split_names:
        yield f"annotations/labels_{split}.json", _document(dataset, split, numbers, first)
        first += dataset.facts.splits.get(split, 0)


def _document(dataset: Dataset, split: str, numbers: dict[str, int], first: int) -> Iterator[bytes]:
    boxes = bool(dataset.options.get("boxes"))
    return json_object(
        {"info": {"description": "", "version": "1.0"}, "licenses": []},
        {
            "categories": (
                {"id": numbers[tag.name], "name": tag.name, "supercategory": tag.parent}
                for tag in dataset.facts.vocabulary
            ),
            "images": (_image(row, number) for number, row in enumerate(dataset.of_split(split), first)),
            "annotations": _annotations(dataset.of_split(split), numbers, first, boxes),
        },
    )


def _image(row: ExportRow, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": row.file,
        "width": row.width_px,
        "height": row.height_px,
        "caption": row.caption,
        "sha256": row.sha256,
    }


def _annotations(
    rows: Iterator[ExportRow], numbers: dict[str, int], first: int, boxes: bool
) -> Iterator[dict[str, Any]]:
    annotation_id = 0
    for image_id, row in enumerate(rows, first):
        whole = {
            "bbox": [0, 0, row.width_px, row.height_px],
            "area": row.width_px * row.height_px,
            "iscrowd": 0,
        }
        for tag in row.yes:
            annotation_id += 1
            said = {"id": annotation_id, "image_id": image_id, "category_id": numbers[tag]}
            yield said | whole if boxes else said


EXPORTER = Exporter(
    name="coco",
    title="COCO",
    group=Group.TRAINING,
    suits="The form that most training code and tools can read.",
    losses=(
        "No's, disputed tags and who decided are not written.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
        "Captions stand in a field of each image that most readers pass over; metadata are not written.",
        "The holdout is the split “test”.",
    ),
    files=files,
    options={
        "boxes": Option(
            "Give each tag a box around the whole image and its area: some tools, pycocotools' area filter among "
            "them, fail without."
        )
    },
    picture_paths=lambda row, options: (f"images/{row.split}/{row.file}",),
    recount=recounts.json_objects(".json", "images.item"),
)
