"""Planted work for speed: arrays that a head can learn from, and a project of images with features in a database."""

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from annotations.models import Project
    from mlmodels.core.learning.dataset import HeadInputs

DIMENSIONS, CLASSES, HIDDEN = 1280, 1000, 64
YES_AN_IMAGE = 3.5
COPIED_AT_ONCE = 2_000
WORDS = """
dog cat boat tree car horse bird beach mountain river bridge house street train bicycle flower
garden sky cloud snow rain sun child woman man girl boy baby crowd market food fruit bread cake
table chair window door wall roof church tower castle ship harbour island forest field farm cow
sheep goat pig duck swan eagle owl fish shark whale frog snake lizard butterfly bee ant spider book
lamp clock phone computer camera guitar piano drum violin ball kite tent fire lake desert rock sand
grass leaf mushroom apple banana orange lemon grape bottle cup plate knife spoon hat shoe
"""
THINGS = WORDS.split()
HOW = ("quiet", "bright", "old", "young", "running", "standing", "green", "red", "small", "large")


def arrays(images: int, tags: int, *, seed: int = 0) -> "tuple[HeadInputs, NDArray[np.int8]]":
    """Inputs of N images and K tags with their truth [N, K]: frequent and rare tags, noisy pixels, half mentioned."""
    from mlmodels.core.learning.dataset import HeadInputs

    rng, fixed = np.random.default_rng([seed, images]), np.random.default_rng(99)
    share = 1 / np.arange(1, tags + 1)
    share = np.clip(YES_AN_IMAGE * share / share.sum(), 0.002, 0.5)
    directions = fixed.standard_normal((tags, HIDDEN)).astype(np.float32)
    mix = fixed.standard_normal((HIDDEN, DIMENSIONS)).astype(np.float32) / 8
    turn = fixed.standard_normal((DIMENSIONS, DIMENSIONS)).astype(np.float32) / np.sqrt(
        np.float32(DIMENSIONS)
    )
    turn /= np.sqrt(np.arange(1, DIMENSIONS + 1, dtype=np.float32))[:, None]
    truth = (rng.random((images, tags), dtype=np.float32) < share).astype(np.int8)
    vision = np.empty((images, DIMENSIONS), dtype=np.float32)
    for start in range(0, images, 5000):
        rows = slice(start, min(start + 5000, images))
        hidden = truth[rows] @ directions
        hidden += 2 * rng.standard_normal(hidden.shape, dtype=np.float32)
        noise = rng.standard_normal((len(hidden), DIMENSIONS), dtype=np.float32)
        vision[rows] = hidden @ mix + 5 * noise @ turn
    vision /= np.linalg.norm(vision, axis=1, keepdims=True)
    said = rng.random(truth.shape, dtype=np.float32) < np.where(
        truth == 1, np.float32(0.5), np.float32(0.002)
    )
    seen = rng.random(truth.shape, dtype=np.float32) < np.where(truth == 1, np.float32(0.5), np.float32(0.05))
    words = rng.zipf(1.5, (images, 6)) % 4000
    inputs = HeadInputs(
        vision=vision,
        has_vision=np.ones(images, dtype=bool),
        class_prior=seen * rng.random(truth.shape, dtype=np.float32) * np.float32(0.3),
        caption_prior=said * np.float32(0.85),
        terms=tuple(
            (*map(str, words[n].tolist()), *(f"tag{k}" for k in np.flatnonzero(said[n])))
            for n in range(images)
        ),
        has_caption=np.ones(images, dtype=bool),
    )
    return inputs, truth


def project(images: int, *, features: bool = True) -> "Project":
    """A project of 100 tags with captions of its own for each image, as an import leaves it, and features."""
    from annotations.models import User
    from annotations.services import projects, tags
    from annotations.types import TagSpec
    from mlmodels.models import Extractor

    admin, _ = User.objects.get_or_create(username="admin", defaults={"is_staff": True})
    made = projects.create(admin, name="Benchmark")
    tags.create_many(made, [TagSpec(name=name) for name in THINGS], actor=None)
    made.refresh_from_db()
    extractor, _ = Extractor.objects.get_or_create(
        key="planted", defaults={"name": made.extractor, "dimensions": DIMENSIONS}
    )
    rng = np.random.default_rng(0)
    with indexed_afterwards():
        for start in range(0, images, COPIED_AT_ONCE):
            ids = _copy_images(made.pk, range(start, min(start + COPIED_AT_ONCE, images)), rng)
            if features:
                _copy_features(made.pk, extractor.pk, ids, rng)
    return made


@contextmanager
def indexed_afterwards() -> Iterator[None]:
    """Makes the indexes of images and queue once, when all rows are there, which is faster than row by row.

    Within another such block nothing is left to be dropped, and the outer one makes them.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        for _, definition in indexes:
            cursor.execute(definition)


# All but those of constraints, which planting itself needs.
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename IN ('annotations_image', 'annotations_queueentry')
        AND indexname NOT IN (SELECT conname FROM pg_constraint)
    ORDER BY indexname
"""


def _copy_images(project_id: int, numbers: range, rng: np.random.Generator) -> list[int]:
    """Rows as an import leaves them, in the queue too, straight into the tables; returns their ids."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM annotations_image")
        (newest,) = cursor.fetchone()
        with cursor.cursor.copy(_COPY) as copy:
            copy.write("".join(_lines(project_id, numbers, rng)))
        cursor.execute(_QUEUE, [newest])
        cursor.execute("SELECT id FROM annotations_image WHERE id > %s ORDER BY id", [newest])
        return [image_id for (image_id,) in cursor.fetchall()]


_COPY = """
    COPY annotations_image (
        project_id, sha256, phash, name, path, source, format, storage_key, size_bytes, shows_as_is, width_px,
        height_px, caption, metadata, is_holdout, holdout_probability, state, priority, revision, reviews_done,
        shuffle, created_at) FROM STDIN
"""
_QUEUE = """
    INSERT INTO annotations_queueentry (image_id, project_id, is_holdout, priority, rank, shuffle, reason,
                                        for_reviewers)
    SELECT id, project_id, is_holdout, 0, shuffle, shuffle, 'random', false FROM annotations_image WHERE id > %s
"""


def _lines(project_id: int, numbers: range, rng: np.random.Generator) -> Iterator[str]:
    """Lines of COPY's text format, with captions of two things each."""
    one, further = (
        rng.integers(len(THINGS), size=len(numbers)),
        rng.integers(1, len(THINGS), size=len(numbers)),
    )
    how, where = rng.integers(len(HOW), size=(2, len(numbers)))
    now = datetime.now(UTC).isoformat()
    for number, a, b, c, d in zip(
        numbers,
        one.tolist(),
        ((one + further) % len(THINGS)).tolist(),
        how.tolist(),
        where.tolist(),
        strict=True,
    ):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        caption = f"A {HOW[c]} {THINGS[a]} {HOW[d]} a {THINGS[b]} on day {number}."
        yield (
            f"{project_id}\t{digest}\t{int(digest[:15], 16)}\t{number}.jpg\t\tupload\tJPEG\t"
            f"originals/{digest}.jpg\t1\tf\t640\t480\t{caption}\t{{}}\tf\t0.15\tpending\t0\t1\t0\t"
            f"{int(digest[:8], 16) / 2**32}\t{now}\n"
        )


def _copy_features(
    project_id: int, extractor_id: int, image_ids: list[int], rng: np.random.Generator
) -> None:
    from django.db import connection

    vectors = rng.standard_normal((len(image_ids), DIMENSIONS), dtype=np.float32).astype(">f2")
    classes = (rng.random((len(image_ids), CLASSES), dtype=np.float32) ** 8 / 100).astype(">f2")
    columns = "project_id, extractor_id, image_id, vector, class_probabilities, error, created_at"
    with connection.cursor() as cursor:
        query = f"COPY mlmodels_imagefeature ({columns}) FROM STDIN (FORMAT BINARY)"
        with cursor.cursor.copy(query) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
            for image_id, vector, probabilities in zip(image_ids, vectors, classes, strict=True):
                copy.write(struct.pack(">hiqiqiq", 7, 8, project_id, 8, extractor_id, 8, image_id))
                for values in (vector, probabilities):
                    copy.write(struct.pack(">ihh", 4 + values.nbytes, len(values), 0) + values.tobytes())
                copy.write(struct.pack(">iiq", 0, 8, 0))
            copy.write(struct.pack(">h", -1))
