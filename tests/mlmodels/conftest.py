"""A project whose pictures are easy to learn: features are planted where no pixels are needed."""

import hashlib
import io
import random
import zlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import PIL.Image
import pytest
from django.db import connection

from annotations.models import Image, Project, Role
from annotations.models.job import JobState
from annotations.services import leases, storage
from mlmodels.models import Extractor, ImageFeature, ModelVersion
from mlmodels.services import (
    evidence,
    extractors,
    features,
    finetune_plan,
    runs,
    training,
    tuned_backbones,
)
from mlmodels.services.finetune_settings import FinetuneSettings
from tests.factories import Cast, answer_lease, make_cast, make_images, make_tags

DIMENSIONS = 32
TAGS = ("dog", "boat", "tree")
# Images of a project whose backbone is tuned.
TRAINING, HOLDOUT, UNSEEN = 90, 60, 10


@pytest.fixture
def cast(same_ids: None) -> Cast:
    """Training reads a snapshot of its own, which a test's enclosing transaction would not allow."""
    return make_cast()


@pytest.fixture
def same_ids(request: pytest.FixtureRequest, transactional_db: None) -> None:
    """Whatever ran before, draws come out alike: they hang on the ids of images and of their project.

    The project's is this test's own, for what a worker keeps in memory it keeps by project.
    """
    own = 1_000_000 + zlib.crc32(request.node.nodeid.encode()) % 100_000_000 * 10
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE annotations_image_id_seq RESTART")
        cursor.execute("ALTER SEQUENCE annotations_project_id_seq RESTART WITH %s", [own])


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


def version_after(planted: Planted, *, reviews: int) -> ModelVersion:
    """One that went live after so many reviews more; a few beyond that where the gate wants them."""
    planted.review(reviews)
    for _ in range(5):
        run = training.execute(runs.request(planted.project.pk, actor_id=planted.cast.admin.pk).pk)
        if run.state == "done":
            return ModelVersion.objects.get(run=run)
        planted.review(2)
    raise AssertionError(run.reason)


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


# What stands in a picture, by tag.
LOOKS = {"sky": (90, 150, 240), "fire": (230, 70, 20), "grass": (40, 150, 40)}


def scene(number: int, *, side: int = 320) -> bytes:
    """A picture with a field of each tag that `shown_in` names, in another place each time."""
    rng = random.Random(number)
    noise = np.random.default_rng(number).integers(90, 170, (side * 3 // 4, side, 3), dtype=np.uint8)
    picture = PIL.Image.fromarray(noise)
    for name in shown_in(number):
        x, y = rng.randrange(side // 2), rng.randrange(side // 3)
        picture.paste(LOOKS[name], (x, y, x + rng.randrange(90, side // 2), y + side // 3))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def shown_in(number: int) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(LOOKS) if number >> bit & 1)


@pytest.fixture
def live_version(cast: Cast):
    """A live version over what the real extractor sees of made pictures."""
    from mlmodels.models import ModelVersion
    from mlmodels.services import features, runs, training

    make_tags(cast.project, *LOOKS)
    images = [with_file(image, scene(n)) for n, image in enumerate(make_images(cast.project, 24))]
    numbers = {image.pk: n for n, image in enumerate(images)}
    after_id: int | None = 0
    while after_id is not None:
        after_id = features.compute_slice(cast.project.pk, after_id=after_id).resume_after
    for lease in leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, count=20):
        answer_lease(cast, cast.annotator, lease, yes=shown_in(numbers[lease.image_id]))
    run = training.execute(runs.request(cast.project.pk).pk)
    assert run is not None and run.state == "done", run.reason
    return ModelVersion.objects.get()


@pytest.fixture(scope="module")
def one_thread():
    """Threads that wait for one another by spinning are slow beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    from tests.mlmodels import tiny_backbone

    folder = tmp_path_factory.mktemp("weights")
    tiny_backbone.put_weights(folder)
    return folder


@pytest.fixture
def mirrors() -> bool:
    """Whether the tiny backbone looks at mirror images too, as the app does, at twice the time."""
    return False


@pytest.fixture
def tuned_project(planted, tiny_weights, mirrors, settings, monkeypatch):
    """Reviewed pictures of bars, looked at by a tiny backbone that sees little, and a live version on it."""
    from mlmodels.core.vision import tuned
    from mlmodels.core.vision.extractor import load_extractor
    from tests.mlmodels import tiny_backbone

    how = {"engine": "torch", "mirror": mirrors, "threads": 1}

    @lru_cache(maxsize=4)
    def load(name):
        run_id = tuned_backbones.run_of(name)
        if run_id is not None:
            return tuned.load(tuned_backbones.folder_of_run(run_id), **how)
        return load_extractor(name, weights_dir=tiny_weights, allow_hub=False, **how)

    settings.WEIGHTS_DIR = str(tiny_weights)
    monkeypatch.setattr(extractors, "load", load)
    monkeypatch.setattr(training, "LINGER_S", 0.0)
    monkeypatch.setattr(finetune_plan, "LEAST_TRAINING", 80)
    # To a backbone of chance all of these pictures look alike.
    monkeypatch.setattr(evidence, "SAME_PICTURE_COSINE", 2.0)
    monkeypatch.setattr(evidence, "SAME_PICTURE_BITS", -1)
    # So few images can only be learnt at a higher rate than photographs want.
    core = FinetuneSettings.core
    monkeypatch.setattr(
        FinetuneSettings,
        "core",
        lambda self, seed: replace(core(self, seed=seed), rate=3e-3, average=0.8, views=2),
    )
    Project.objects.filter(pk=planted.project.pk).update(extractor=tiny_backbone.NAME)
    planted.project.refresh_from_db()
    planted.plant = lambda images: None
    made = [
        *planted.images(TRAINING + UNSEEN),
        *planted.images(HOLDOUT, first=1000, holdout=True),
    ]
    for number, image in enumerate(made):
        tags = {TAGS.index(name) for name in planted.yes_of(image)}
        stream = io.BytesIO()
        tiny_backbone.picture(number, tags).save(stream, "PNG")
        storage.put(image.storage_key, stream.getvalue())
    after = 0
    while after is not None:
        after = features.compute_slice(planted.project.pk, after_id=after).resume_after
    planted.review(TRAINING + HOLDOUT)
    run = training.execute(runs.request(planted.project.pk).pk)
    assert run.state == JobState.DONE, run.reason
    return planted
