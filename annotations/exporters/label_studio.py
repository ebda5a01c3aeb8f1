"""Label Studio JSON: a task an image with a choice of several, and the configuration that they need."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from annotations.exporters import recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Needs
from annotations.exporters.pieces import gathered, json_array

_FROM, _TO = "tags", "image"
_NO_MODEL = "unknown"


def files(dataset: Dataset) -> Files:
    """`image` of a task is the file's path within the archive: upload it, or serve it as local storage."""
    yield "tasks.json", json_array(_task(row, number) for number, row in enumerate(dataset.rows, 1))
    yield "config.xml", gathered(_config(dataset))


def _task(row: ExportRow, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "data": {
            "image": f"images/{row.file}",
            "caption": row.caption,
            "name": row.path or row.name,
            "sha256": row.sha256,
            "split": row.split,
            "state": row.state,
            "no": row.no,
            "disputed": row.disputed,
        },
        "annotations": [_annotation(row)] if row.is_reviewed or row.yes else [],
        "predictions": _predictions(row),
    }


def _annotation(row: ExportRow) -> dict[str, Any]:
    """A finished image without tags is an annotation with an empty result: reviewed, and nothing applies."""
    return {"result": [_choices(row, row.yes)] if row.yes else [], "was_cancelled": False}


def _predictions(row: ExportRow) -> list[dict[str, Any]]:
    """The suggestions that people decided on, as one prediction a model version."""
    by_version: dict[int, dict[str, float]] = {}
    for tag, origin in (row.provenance or {}).items():
        if origin.score is not None:
            by_version.setdefault(origin.model_version, {})[tag] = origin.score
    return [
        {
            "model_version": str(version) if version else _NO_MODEL,
            "score": max(scores.values()),
            "result": [_choices(row, sorted(scores))],
        }
        for version, scores in sorted(by_version.items())
    ]


def _choices(row: ExportRow, tags: Any) -> dict[str, Any]:
    return {
        "from_name": _FROM,
        "to_name": _TO,
        "type": "choices",
        "value": {"choices": list(tags)},
        "original_width": row.width_px,
        "original_height": row.height_px,
    }


def _config(dataset: Dataset) -> Iterator[bytes]:
    yield f'<View>\n  <Image name="{_TO}" value="$image"/>\n'.encode()
    yield b'  <Text name="caption" value="$caption"/>\n'
    yield f'  <Choices name="{_FROM}" toName="{_TO}" choice="multiple">\n'.encode()
    for name in dataset.tag_names():
        yield f"    <Choice value={quoteattr(name)}/>\n".encode()
    yield b"  </Choices>\n</View>\n"


EXPORTER = Exporter(
    name="label-studio",
    title="Label Studio JSON",
    group=Group.TOOLS,
    suits="Tasks with their choices, and the configuration to open them.",
    losses=(
        "Explicit no's and disputed tags stand in the task's data, where Label Studio only shows them.",
        "Who decided is not written; of suggestions only those that somebody decided on.",
        "Metadata are not written.",
    ),
    files=files,
    needs=lambda options: Needs(provenance=True),
    recount=recounts.json_objects("tasks.json", "item"),
)
