"""Vertex AI import files for multi-label classification: a line an image."""

from typing import Any

from annotations.exporters import recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group
from annotations.exporters.pieces import json_lines


def files(dataset: Dataset) -> Files:
    """`imageGcsUri` is the path within the archive: put your bucket's address before it."""
    yield "images.jsonl", json_lines(_line(row) for row in dataset.rows)


def _line(row: ExportRow) -> dict[str, Any]:
    return {
        "imageGcsUri": f"images/{row.file}",
        "classificationAnnotations": [{"displayName": tag} for tag in row.yes],
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": _use(row)},
    }


def _use(row: ExportRow) -> str:
    return "test" if row.is_holdout else "training"


EXPORTER = Exporter(
    name="vertex",
    title="Vertex AI JSON Lines",
    group=Group.CLOUDS,
    suits="An import file of Google Vertex AI.",
    losses=(
        "No's, disputed tags, captions, metadata and who decided are not written.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
        "Addresses are paths within the archive, without a bucket.",
    ),
    files=files,
    recount=recounts.json_lines("images.jsonl"),
)
