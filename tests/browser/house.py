"""A project in which every page has something to show, long and odd things among it, and the list of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations import tasks
from annotations.models import Image, User
from annotations.services import proposals, storage, tokens
from annotations.types import ProposalSpec
from mlmodels.models import ModelVersion
from mlmodels.services import runs, training
from tests.browser.conftest import picture_bytes
from tests.factories import Cast
from tests.mlmodels.conftest import Planted

CAPTION = "A dog in a boat under a tree, with no cat in sight."
LONG_NAME = "panorama-" + "x" * 187 + ".jpg"
HEBREW = "כלב רץ על החוף ליד הסירה, בלי עץ"
WITH_PICTURES = 12


@dataclass(frozen=True)
class House:
    """The people, every address that an admin of the project may open, and the image that is odd in every way."""

    cast: Cast
    pages: tuple[str, ...]
    odd: Image

    @property
    def admin(self) -> User:
        return self.cast.admin


def furnish(cast: Cast) -> House:
    planted = Planted(cast)
    images = planted.images(70, caption=CAPTION)
    for number, image in enumerate(images[:WITH_PICTURES]):
        storage.put(image.storage_key, picture_bytes(number))
    versions = [_version_after(planted, reviews) for reviews in (30, 20)]
    odd = make_odd(images[0])
    _propose(cast, images[1])
    tokens.create(cast.admin, days=30)
    here = f"/projects/{cast.project.pk}/"
    below = [*_people_pages(planted, odd), *_model_pages(versions), f"import/{_import(cast, here)}/"]
    _export(cast, here)
    outside = (
        "/projects/",
        "/projects/new/",
        "/tokens/",
        "/keys/",
        "/status/",
        "/patterns/",
        "/accounts/login/",
    )
    return House(cast, (*(here + page for page in below), *outside), odd)


def _version_after(planted: Planted, reviews: int) -> ModelVersion:
    planted.review(reviews)
    run = training.execute(runs.request(planted.project.pk, actor_id=planted.cast.admin.pk).pk)
    assert run.state == "done", run.reason
    return ModelVersion.objects.get(run=run)


def make_odd(image: Image) -> Image:
    """12,000 x 40 pixels, a name of 200 characters, a caption that runs from right to left."""
    image.name, image.caption, image.width_px, image.height_px = LONG_NAME, HEBREW, 12_000, 40
    image.save()
    storage.put(image.storage_key, picture_bytes(0, size=(12_000, 40)))
    return image


def _propose(cast: Cast, image: Image) -> None:
    place = {"image": image.pk, "start": 2, "end": 5, "text": "dog"}
    evidence = {"rule": "phrase", "lift": None, "examples": [place]}
    proposals.replace_open(cast.project.pk, [ProposalSpec("tag", "paddle", None, 7, evidence)])


def _people_pages(planted: Planted, odd: Image) -> Iterator[str]:
    tag = planted.tags["dog"]
    yield from (
        "",
        "review/",
        "review/?plain=1",
        "gallery/",
        f"gallery/{odd.pk}/",
        "tags/",
        "tags/?retired=1",
    )
    yield from ("tags/proposed/", f"tags/{tag}/", f"tags/{tag}/retire/", "people/", "people/second/")
    yield from ("verify/", f"verify/?tag={tag}", "guide/", "flags/", "review/?one=1", f"review/?tag={tag}")
    yield from ("import/", "export/", "settings/", "settings/delete/", "gallery/?q=nothing-has-this")


def _model_pages(versions: list[ModelVersion]) -> Iterator[str]:
    first, second = versions
    yield from (
        "models/",
        "models/policy/",
        "models/compare/",
        f"models/{second.pk}/",
        f"models/{first.pk}/activate/",
    )


def _import(cast: Cast, here: str) -> int:
    """One picture and one file that is none; answers the job's id."""
    files = [
        SimpleUploadedFile("new.jpg", picture_bytes(30), "image/jpeg"),
        SimpleUploadedFile(LONG_NAME, b"no picture", "image/jpeg"),
    ]
    job = _post(cast, here + "imports/", {"files": files})
    tasks.run_import(job)
    return job


def _export(cast: Cast, here: str) -> None:
    tasks.run_export(_post(cast, here + "exports/", {"format": "csv"}, content_type="application/json"))


def _post(cast: Cast, address: str, data: dict[str, object], **options: str) -> int:
    client = Client()
    client.force_login(cast.admin)
    answer = client.post(f"/api/v1{address}", data, **options)
    assert answer.status_code == 202, answer.content
    return int(answer.json()["id"])
