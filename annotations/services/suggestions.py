"""Replaces the stored suggestions of images, by COPY into a temporary table and one upsert."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import connection, transaction

from annotations.models import SuggestionSet
from annotations.models.sources import packed as packed  # rows come with their sources packed
from annotations.selectors import arrays
from annotations.types import SuggestionRow

MAX_SUGGESTIONS = 20
ROWS_AT_ONCE = 200

_COLUMNS = (
    "image_id, tag_ids, scores, offered_ids, sources, calibrated, "
    "model_version_id, model_number, vocabulary_version"
)


@transaction.atomic
def store(project_id: int, rows: Iterable[SuggestionRow]) -> int:
    """Replace the suggestions of these images. Returns rows sent."""
    sent: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS incoming_suggestions (
                image_id bigint, tag_ids bigint[], scores float8[], offered_ids bigint[], sources text,
                calibrated boolean, model_version_id bigint, model_number integer, vocabulary_version integer
            ) ON COMMIT DELETE ROWS
            """
        )
        cursor.execute("DELETE FROM incoming_suggestions")
        with cursor.cursor.copy(f"COPY incoming_suggestions ({_COLUMNS}) FROM STDIN") as copy:
            waiting = iter(rows)
            while some := list(islice(waiting, ROWS_AT_ONCE)):
                copy.write("".join(map(_line, some)))
                sent += [row.image_id for row in some]
        cursor.execute(_UPSERT, [project_id, project_id, arrays.literal(sent)])
    return len(sent)


def mark_stale(image_ids: Iterable[int]) -> None:
    """What was read of these images has changed: a sweep makes their suggestions anew if no message does."""
    SuggestionSet.objects.filter(arrays.among("image_id", image_ids)).update(vocabulary_version=0)


# Images that left meanwhile (trash, another project) are dropped by the join. It repeats the ids, without which
# PostgreSQL, which knows nothing of a temporary table, reads every image of the project for each chunk.
_UPSERT = f"""
    INSERT INTO annotations_suggestionset (project_id, updated_at, {_COLUMNS})
    SELECT %s, now(), {", ".join("s." + column for column in _COLUMNS.split(", "))}
    FROM incoming_suggestions s JOIN annotations_image i ON i.id = s.image_id
    WHERE i.project_id = %s AND i.id = ANY(%s::bigint[])
    ORDER BY s.image_id
    ON CONFLICT (image_id) DO UPDATE SET
        tag_ids = EXCLUDED.tag_ids, scores = EXCLUDED.scores, offered_ids = EXCLUDED.offered_ids,
        sources = EXCLUDED.sources, calibrated = EXCLUDED.calibrated,
        model_version_id = EXCLUDED.model_version_id, model_number = EXCLUDED.model_number,
        vocabulary_version = EXCLUDED.vocabulary_version, updated_at = now()
"""  # noqa: S608 (column names are constants)


def _line(row: SuggestionRow) -> str:
    """The row in COPY's text format: lists of numbers written here cost a tenth of the driver's."""
    if not isinstance(row.tag_ids, str) and len(row.tag_ids) > MAX_SUGGESTIONS:
        raise ValueError(
            f"image {row.image_id}: {len(row.tag_ids)} suggestions, at most {MAX_SUGGESTIONS} are kept"
        )
    # JSON as text has no tab or line break of its own, but backslashes, which COPY reads too.
    sources = row.sources if isinstance(row.sources, str) else json.dumps(row.sources)
    return (
        f"{row.image_id:d}\t{_array(row.tag_ids)}\t{_array(row.scores)}\t{_array(row.offered_ids)}\t"
        + sources.replace("\\", "\\\\")
        + f"\t{'t' if row.calibrated else 'f'}\t{_nullable(row.model_version_id)}"
        + f"\t{row.model_number:d}\t{row.vocabulary_version:d}\n"
    )


def _array(numbers: Sequence[float] | str) -> str:
    return numbers if isinstance(numbers, str) else arrays.literal(numbers)


def _nullable(number: int | None) -> str:
    return r"\N" if number is None else str(number)
