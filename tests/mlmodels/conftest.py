"""A project whose pictures are easy to learn: features are planted where no pixels are needed."""

import hashlib
import io
import random

import numpy as np
import PIL.Image
import pytest

from annotations.models import Image, Role
from annotations.services import leases, storage
from mlmodels.models import Extractor, ImageFeature
from tests.factories import Cast, answer_lease, make_cast, make_images, make_tags

DIMENSIONS = 32
TAGS = ("dog", "boat", "tree")


@pytest.fixture
def cast(transactional_db) -> Cast:
    """Training reads a snapshot of its own, which a test's enclosing transaction would not allow."""
    return make_cast()


@pytest.fixture
def planted(cast: Cast) -> "Planted":
    return Planted(cast)


class Planted:
    """Images with features in which every tag has a direction; `yes_of` is the truth that people will tell."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.project = cast.project
        self.rng = random.Random(1)
        self.tags = make_tags(cast.project, *TAGS)
        self.extractor = Extractor.objects.create(
            key="planted", name=cast.project.extractor, dimensions=DIMENSIONS
        )

    def images(self, count: int, *, first: int = 0, holdout: bool = False, caption: str = "") -> list[Image]:
        images = make_images(self.project, count, first=first, holdout=holdout, caption=caption)
        self.plant(images)
        return images

    def plant(self, images: list[Image]) -> None:
        ImageFeature.objects.bulk_create(
            ImageFeature(
                project=self.project,
                image=image,
                extractor=self.extractor,
                vector=self._vector(image),
                class_probabilities=np.zeros(1000),
            )
            for image in images
        )

    def yes_of(self, image: Image) -> tuple[str, ...]:
        return tuple(name for bit, name in enumerate(TAGS) if _number(image) >> bit & 1)

    def review(self, count: int, user=None, *, wrong: bool = False) -> list[Image]:
        """Take the next images, one by one, and answer them truly (or with every tag turned round)."""
        user = user or self.cast.annotator
        done = []
        for _ in range(count):
            lease = leases.claim_next(self.project, user, role=Role.ANNOTATOR, count=1, rng=self.rng)[0]
            truth = set(self.yes_of(lease.image))
            yes = set(TAGS) - truth if wrong else truth
            answer_lease(self.cast, user, lease, yes=tuple(sorted(yes)))
            done.append(lease.image)
        return done

    def _vector(self, image: Image) -> np.ndarray:
        rng = np.random.default_rng(_number(image))
        vector = rng.normal(scale=0.3, size=DIMENSIONS)
        for bit, name in enumerate(TAGS):
            vector[bit] += 2.0 if name in self.yes_of(image) else -2.0
        return vector / np.linalg.norm(vector)


def _number(image: Image) -> int:
    """From the name alone: the same in every run, and apart from the order of the queue."""
    return int(hashlib.sha256(image.name.encode()).hexdigest()[:8], 16)


@pytest.fixture(scope="session")
def network():
    """The default extractor, once for all tests."""
    from mlmodels.core.vision.extractor import load_extractor

    return load_extractor(allow_hub=False, engine="torch", mirror=False, threads=1)


@pytest.fixture
def loaded(network, monkeypatch):
    """Workers load this one."""
    from mlmodels.services import extractors

    monkeypatch.setattr(extractors, "load", lambda name: network)
    return network


def drawn(colour: str) -> bytes:
    """A small picture file."""
    stream = io.BytesIO()
    picture = PIL.Image.new("RGB", (64, 48), "white")
    picture.paste(colour, (8, 8, 40, 40))
    picture.save(stream, "JPEG")
    return stream.getvalue()


def with_file(image: Image, data: bytes) -> Image:
    storage.put(image.storage_key, data)
    return image
