"""Images that look alike: nearest by the cosine of their stored features, found by the database.

Up to EXACT_UP_TO images are compared one by one. Larger projects use an index of their extractor, which the `io`
worker builds; until it stands, only the newest images are compared, and the answer says so.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from mlmodels import selectors
from mlmodels.models import Extractor, ImageFeature

EXACT_UP_TO = 20_000
# Building reads all vectors: in memory it takes minutes, else hours.
MAINTENANCE_MEMORY = "1GB"


@dataclass(frozen=True)
class Near:
    """Images by rising cosine distance, in [0, 2]. `searched`: how many were compared; None by the index, of all."""

    found: tuple[tuple[int, float], ...] = ()
    searched: int | None = 0
    is_complete: bool = True


def nearest(project_id: int, image_id: int, *, limit: int) -> Near | None:
    """The nearest images of the project; None if no extractor that is read has looked at the image yet."""
    extractor = selectors.read_extractor(project_id)
    vector = _vector(project_id, extractor, image_id) if extractor else None
    if extractor is None or vector is None:
        return None
    count = _count(project_id, extractor)
    asked: dict[str, int | str] = {"project": project_id, "vector": vector, "image": image_id, "limit": limit}
    if count <= EXACT_UP_TO:
        return Near(_rows(_EXACT.format(extractor=extractor.pk, of=_ALL), asked), count)
    if has_index(extractor):
        return Near(_by_index(extractor, asked), None)
    newest = _NEWEST.format(extractor=extractor.pk, most=EXACT_UP_TO)
    return Near(_rows(_EXACT.format(extractor=extractor.pk, of=newest), asked), EXACT_UP_TO, False)


def nearest_ids(project_id: int, image_id: int, limit: int) -> list[int]:
    """For the gallery's filter: the ids alone."""
    near = nearest(project_id, image_id, limit=limit)
    return [found_id for found_id, _ in near.found] if near else []


def wants_index(project_id: int) -> bool:
    """Whether the project has grown past exact search and its extractor has no index yet."""
    extractor = selectors.read_extractor(project_id)
    if extractor is None or _count(project_id, extractor) <= EXACT_UP_TO:
        return False
    return not has_index(extractor)


def has_index(extractor: Extractor) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [_name(extractor)]
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def build_index(project_id: int) -> bool:
    """Build the index of the extractor that the project reads, beside all other work; outside a transaction.

    What a killed builder has left is removed first. Called twice at once, one caller builds.
    """
    extractor = selectors.read_extractor(project_id)
    if extractor is None or has_index(extractor):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_name(extractor)])
        if not cursor.fetchone()[0]:
            return False
        try:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_name(extractor)}")
            cursor.execute(f"SET maintenance_work_mem = '{MAINTENANCE_MEMORY}'")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY {_name(extractor)} ON mlmodels_imagefeature "
                f"USING hnsw ((vector::halfvec({extractor.dimensions})) halfvec_cosine_ops) "
                f"WHERE extractor_id = {extractor.pk}"
            )
        finally:
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_name(extractor)])
    return True


def _name(extractor: Extractor) -> str:
    return f"feature_near_{extractor.pk}"


def _vector(project_id: int, extractor: Extractor, image_id: int) -> str | None:
    """The image's feature as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT vector::text FROM mlmodels_imagefeature "
            "WHERE project_id = %s AND extractor_id = %s AND image_id = %s",
            [project_id, extractor.pk, image_id],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _count(project_id: int, extractor: Extractor) -> int:
    """Features of the project, not counted much past what decides."""
    rows = ImageFeature.objects.filter(project_id=project_id, extractor=extractor)
    return rows[: EXACT_UP_TO + 1].count()


@transaction.atomic
def _by_index(extractor: Extractor, asked: dict[str, int | str]) -> tuple[tuple[int, float], ...]:
    """By the index, which goes on looking until enough images of this project have come up."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        cursor.execute("SET LOCAL enable_sort = off")  # a sort would mean to compare all
    return _rows(_INDEXED.format(extractor=extractor.pk, dimensions=extractor.dimensions), asked)


def _rows(query: str, asked: dict[str, int | str]) -> tuple[tuple[int, float], ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return tuple((row[0], float(row[1])) for row in cursor.fetchall())


# Without the cast to a fixed dimension no index answers: every row is compared.
_EXACT = """
    SELECT f.image_id, f.vector <=> %(vector)s::halfvec AS distance
    FROM ({of}) f JOIN annotations_image i ON i.id = f.image_id AND i.deleted_at IS NULL
    WHERE f.project_id = %(project)s AND f.extractor_id = {extractor} AND f.image_id <> %(image)s
      AND f.vector IS NOT NULL
    ORDER BY distance, f.image_id LIMIT %(limit)s
"""
_ALL = "SELECT * FROM mlmodels_imagefeature"
_NEWEST = (
    "SELECT * FROM mlmodels_imagefeature WHERE project_id = %(project)s AND extractor_id = {extractor} "
    "ORDER BY image_id DESC LIMIT {most}"
)
_INDEXED = """
    SELECT f.image_id, f.vector::halfvec({dimensions}) <=> %(vector)s::halfvec({dimensions}) AS distance
    FROM mlmodels_imagefeature f JOIN annotations_image i ON i.id = f.image_id AND i.deleted_at IS NULL
    WHERE f.extractor_id = {extractor} AND f.project_id = %(project)s AND f.image_id <> %(image)s
    ORDER BY f.vector::halfvec({dimensions}) <=> %(vector)s::halfvec({dimensions}) LIMIT %(limit)s
"""
