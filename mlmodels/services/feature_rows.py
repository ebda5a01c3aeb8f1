"""Rows of features on their way into the database: checked to be numbers, sent by COPY in its binary form."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from mlmodels.services import halfvec

ERROR_CHARS = 500
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)


@dataclass(frozen=True, eq=False)
class FeatureRow:
    """What an extractor says of an image: its feature and class probabilities, or why it has none."""

    image_id: int
    vector: NDArray[np.float32] | None = None
    class_probabilities: NDArray[np.float32] | None = None
    error: str = ""


def checked(
    image_id: int,
    vector: NDArray[np.float32],
    class_probabilities: NDArray[np.float32],
    *,
    extractor_key: str,
) -> FeatureRow:
    """The row of a feature; one that is not all numbers becomes an error, so that no fit ever reads it."""
    if np.isfinite(vector).all() and np.isfinite(class_probabilities).all():
        return FeatureRow(image_id, vector, class_probabilities)
    problem = (
        f"Expected numbers from {extractor_key}, got NaN or infinity: its weights may be broken. "
        "Replace the weight file; images are looked at again with the new one."
    )
    return FeatureRow(image_id, error=problem)


@transaction.atomic
def store(project_id: int, extractor_id: int, rows: Sequence[FeatureRow]) -> None:
    """Send the rows. Rows that are there already are left as they are."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TEMPORARY TABLE IF NOT EXISTS incoming_features (
                image_id bigint, vector halfvec, class_probabilities halfvec, error text
            ) ON COMMIT DELETE ROWS
            """
        )
        cursor.execute("DELETE FROM incoming_features")
        with cursor.cursor.copy("COPY incoming_features FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_SIGNATURE + b"".join(_encoded(row) for row in rows) + _END)
        cursor.execute(
            """
            INSERT INTO mlmodels_imagefeature
                (project_id, extractor_id, image_id, vector, class_probabilities, error, created_at)
            SELECT %s, %s, image_id, vector, class_probabilities, error, %s FROM incoming_features
            ON CONFLICT (image_id, extractor_id) DO NOTHING
            """,
            [project_id, extractor_id, timezone.now()],
        )


def _encoded(row: FeatureRow) -> bytes:
    error = row.error[:ERROR_CHARS].replace("\0", "").encode()
    return b"".join(
        (
            struct.pack(">hiq", 4, 8, row.image_id),
            _halfvec(row.vector),
            _halfvec(row.class_probabilities),
            struct.pack(">i", len(error)),
            error,
        )
    )


def _halfvec(values: NDArray[np.float32] | None) -> bytes:
    """Behind its length in bytes."""
    if values is None:
        return _NULL
    vector = halfvec.encoded(values)
    return struct.pack(">i", len(vector)) + vector
