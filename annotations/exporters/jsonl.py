"""JSON Lines: an object an image, with everything people said."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from annotations.exporters.base import Context, Exporter, ExportRow, Needs, Provenance

_PIECE_LINES = 256


def write(rows: Iterable[ExportRow], context: Context) -> Iterator[bytes]:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines: list[str] = []
    for row in rows:
        lines.append(encode(_object(row, context)))
        if len(lines) == _PIECE_LINES:
            yield _taken(lines)
    if lines:
        yield _taken(lines)


def _taken(lines: list[str]) -> bytes:
    data = ("\n".join(lines) + "\n").encode()
    lines.clear()
    return data


def _object(row: ExportRow, context: Context) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "path": row.path,
        "sha256": row.sha256,
        "width_px": row.width_px,
        "height_px": row.height_px,
        "caption": row.caption,
        "state": row.state,
        "is_holdout": row.is_holdout,
        "yes": row.yes,
        "no": row.no,
        "disputed": row.disputed,
        "vocabulary_version": context.vocabulary_version,
        "provenance": {tag: _origin(origin) for tag, origin in (row.provenance or {}).items()},
        "reviews": row.reviews,
    }


def _origin(provenance: Provenance) -> dict[str, Any]:
    return {
        "source": provenance.source,
        "person": provenance.person,
        "at": provenance.at,
        "scope": provenance.scope,
        "score": provenance.score,
        "model_version": provenance.model_version,
    }


EXPORTER = Exporter(
    name="jsonl",
    title="JSON Lines, an object an image",
    extension="jsonl",
    content_type="application/x-ndjson",
    losses=("Suggestions that nobody decided on are not written.",),
    needs=lambda options: Needs(provenance=True, reviews=True),
    write=write,
    options={},
)
