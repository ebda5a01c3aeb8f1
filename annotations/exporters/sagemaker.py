"""SageMaker augmented manifests for multi-label classification: a line an image, a file a split."""

from typing import Any

from annotations.exporters import recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group
from annotations.exporters.pieces import json_lines

_NEVER = "1970-01-01T00:00:00"
"""The field is required; the time of a decision is not part of a dataset's contents."""


def files(dataset: Dataset) -> Files:
    """`source-ref` is the path within the archive: put your bucket's address before it."""
    numbers = dataset.tag_numbers()
    for split in dataset.facts.split_names:
        yield f"{split}.manifest", json_lines(_line(row, numbers) for row in dataset.of_split(split))


def _line(row: ExportRow, numbers: dict[str, int]) -> dict[str, Any]:
    chosen = [(str(numbers[tag]), tag) for tag in row.yes]
    return {
        "source-ref": f"images/{row.file}",
        "tags": [int(number) for number, _ in chosen],
        "tags-metadata": {
            "class-map": dict(chosen),
            "confidence-map": {number: 1.0 for number, _ in chosen},
            "job-name": "tagger",
            "type": "groundtruth/image-classification-multilabel",
            "human-annotated": "yes",
            "creation-date": _NEVER,
        },
    }


EXPORTER = Exporter(
    name="sagemaker",
    title="SageMaker augmented manifest",
    group=Group.CLOUDS,
    suits="A training channel of Amazon SageMaker.",
    losses=(
        "No's, disputed tags, captions, metadata and who decided are not written; dates are all the same.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
        "Addresses are paths within the archive, without a bucket. The holdout is test.manifest.",
    ),
    files=files,
    recount=recounts.json_lines(".manifest"),
)
