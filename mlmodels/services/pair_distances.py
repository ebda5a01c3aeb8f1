"""How far apart the features of two images are, for many pairs at once: annotations asks, to tell near-duplicates."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Max

from annotations.selectors import arrays, model_inputs
from mlmodels import selectors

PAIRS_AT_ONCE = 5_000


def looked_to(project_id: int, after_id: int) -> int:
    """The id up to which the extractor that is read has looked at every image after this one."""
    extractor = selectors.read_extractor(project_id)
    if extractor is None:
        return after_id
    missing = selectors.without_feature(project_id, extractor.pk, after_id=after_id, limit=1)
    if missing:
        return missing[0] - 1
    newest = model_inputs.image_rows(project_id).aggregate(newest=Max("pk"))["newest"]
    return max(after_id, newest or 0)


def distances(project_id: int, pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    """The cosine distance of each pair, in order; None where one of the two has no feature."""
    extractor = selectors.read_extractor(project_id)
    if extractor is None:
        return [None] * len(pairs)
    found: list[float | None] = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        found += _measured(project_id, extractor.pk, pairs[start : start + PAIRS_AT_ONCE])
    return found


def _measured(project_id: int, extractor_id: int, pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    first, second = (arrays.literal(pair[side] for pair in pairs) for side in (0, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.vector <=> b.vector
            FROM unnest(%(first)s::bigint[], %(second)s::bigint[]) WITH ORDINALITY AS p(first, second, place)
            LEFT JOIN mlmodels_imagefeature a
                ON a.image_id = p.first AND a.extractor_id = %(extractor)s AND a.project_id = %(project)s
            LEFT JOIN mlmodels_imagefeature b
                ON b.image_id = p.second AND b.extractor_id = %(extractor)s AND b.project_id = %(project)s
            ORDER BY p.place
            """,
            {"first": first, "second": second, "extractor": extractor_id, "project": project_id},
        )
        return [None if row[0] is None else float(row[0]) for row in cursor.fetchall()]
