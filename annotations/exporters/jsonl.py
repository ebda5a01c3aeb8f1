"""JSON Lines: an object an image, with everything people said."""

from typing import Any

from annotations.exporters import recounts
from annotations.exporters.base import (
    Dataset,
    Exporter,
    ExportRow,
    Files,
    Group,
    Needs,
    OneFile,
    Provenance,
)
from annotations.exporters.pieces import json_lines

_ORIGIN = Provenance._fields


def files(dataset: Dataset) -> Files:
    """The fields of the API's contract, then those that an import needs to give an equal project."""
    yield "images.jsonl", json_lines(_object(row, dataset) for row in dataset.rows)


def _object(row: ExportRow, dataset: Dataset) -> dict[str, Any]:
    origins = row.provenance or {}
    said: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "path": row.path,
        "sha256": row.sha256,
        "width_px": row.width_px,
        "height_px": row.height_px,
        "caption": row.caption,
        "metadata": row.metadata,
        "state": row.state,
        "is_holdout": row.is_holdout,
        "yes": row.yes,
        "no": row.no,
        "disputed": row.disputed,
        "not_asked": row.not_asked,
        "vocabulary_version": dataset.facts.vocabulary_version,
        "provenance": {tag: dict(zip(_ORIGIN, origin, strict=True)) for tag, origin in origins.items()},
        "reviews": row.reviews,
    }
    return said | {"file": f"images/{row.file}"} if dataset.with_pictures else said


EXPORTER = Exporter(
    name="jsonl",
    title="JSON Lines",
    group=Group.OWN,
    suits="The whole truth for programs; an import of it gives an equal project.",
    losses=("Suggestions that nobody decided on are not written.",),
    files=files,
    needs=lambda options: Needs(provenance=True, reviews=True),
    one_file=OneFile("images.jsonl", "application/x-ndjson"),
    recount=recounts.json_lines("images.jsonl"),
)
