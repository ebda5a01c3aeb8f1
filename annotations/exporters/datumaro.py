"""Datumaro JSON: a document a split, with labels, attributes and captions. Nothing that people said is lost."""

from typing import Any

from annotations.exporters import names, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group
from annotations.exporters.pieces import json_object


def files(dataset: Dataset) -> Files:
    categories = {"label": {"labels": _labels(dataset), "attributes": []}}
    numbers = dataset.tag_numbers()
    for split in dataset.facts.split_names:
        rows = dataset.of_split(split)
        yield (
            f"annotations/{split}.json",
            json_object(
                {"dm_format_version": "1.0", "media_type": 2, "infos": {}, "categories": categories},
                {"items": (_item(row, numbers) for row in rows)},
            ),
        )


def _labels(dataset: Dataset) -> list[dict[str, Any]]:
    return [{"name": tag.name, "parent": tag.parent, "attributes": []} for tag in dataset.facts.vocabulary]


def _item(row: ExportRow, numbers: dict[str, int]) -> dict[str, Any]:
    labels = [
        {"id": number, "type": "label", "attributes": {}, "group": 0, "label_id": numbers[tag]}
        for number, tag in enumerate(row.yes)
    ]
    caption = [{"id": len(labels), "type": "caption", "attributes": {}, "group": 0, "caption": row.caption}]
    return {
        "id": names.stem(row.file),
        "annotations": labels + (caption if row.caption else []),
        "attr": {
            "name": row.name,
            "path": row.path,
            "sha256": row.sha256,
            "state": row.state,
            "is_holdout": row.is_holdout,
            "no": row.no,
            "disputed": row.disputed,
            "not_asked": row.not_asked,
            "metadata": row.metadata,
        },
        "image": {"path": row.file, "size": [row.height_px, row.width_px]},
    }


EXPORTER = Exporter(
    name="datumaro",
    title="Datumaro JSON",
    group=Group.OWN,
    suits="A neutral form that other converters read, with no's and captions.",
    losses=(
        "Explicit no's, disputed tags and states stand in attributes, which other tools keep but do not read.",
        "Who decided is not written.",
        "The holdout is the subset “test”.",
    ),
    files=files,
    picture_paths=lambda row, options: (f"images/{row.split}/{row.file}",),
    recount=recounts.json_objects(".json", "items.item"),
)
