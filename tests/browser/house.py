"""A project in which every page has something to show, long and odd things among it, and the list of its pages."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from annotations import tasks
from annotations.models import (
    DuplicateGroup,
    Image,
    Membership,
    NearPair,
    Project,
    Snapshot,
    Tag,
    User,
)
from annotations.services import (
    image_edits,
    invitations,
    near_pairs,
    projects,
    proposals,
    snapshots,
    storage,
    tag_trash,
    tags,
    tokens,
)
from annotations.types import ProposalSpec, TagSpec
from mlmodels.models import LearningForecast, ModelVersion, Suspect, SuspectList
from mlmodels.services import forecasts
from tests.annotations.spoken import last_word, reviewed
from tests.browser.conftest import picture_bytes
from tests.factories import Cast, make_copies, review_by_two
from tests.mlmodels.conftest import Planted, version_after

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
    _freeze(cast, "before the first round")
    versions = [version_after(planted, reviews=count) for count in (30, 25)]
    _doubt(planted, versions[-1], images[:WITH_PICTURES])
    _see_again(planted, images[2 * WITH_PICTURES : 3 * WITH_PICTURES])
    _tag_twice(planted, images[WITH_PICTURES:])
    _foretell(versions[-1], planted.tags)
    odd = make_odd(images[0])
    _look_alike(cast)
    _propose(cast, images[1])
    _put_below(planted, *planted.tags)
    _disagree(planted)
    tokens.create(cast.admin, days=30)
    _throw_away(cast, images[-1])
    _freeze(cast, "after " + "a very long name of a snapshot " * 5)
    here = f"/projects/{cast.project.pk}/"
    _, link = invitations.create(cast.membership(cast.admin), role="reviewer", note="Ada Lovelace")
    below = [*_people_pages(planted, odd), *_model_pages(versions), f"import/{_import(cast, here)}/"]
    _export(cast, here)
    outside = (
        "/projects/",
        "/projects/new/",
        "/projects/trash/",
        "/tokens/",
        "/keys/",
        "/status/",
        "/patterns/",
        "/accounts/login/",
        f"/join/{link}/",
    )
    return House(cast, (*(here + page for page in below), *outside), odd)


def _throw_away(cast: Cast, image: Image) -> None:
    """An image, and a project of the admin's."""
    image_edits.trash(cast.project, image.pk, actor=cast.admin)
    gone = projects.create(cast.admin, name="A project that nobody wanted " + "x" * 160)
    projects.trash(Membership.objects.select_related("project", "user").get(project=gone))


def _throw_away_a_tag(planted: Planted) -> int:
    name = "a tag that nobody wanted " + "x" * 160
    tag = tags.create_many(planted.project, [TagSpec(name=name)], actor=planted.cast.admin)[0]
    return tag_trash.delete(tag, actor=planted.cast.admin).pk


def _doubt(planted: Planted, version: ModelVersion, images: list[Image]) -> None:
    """Answers of both kinds that look wrong to the version, one of them looked at just now."""
    SuspectList.objects.create(project=planted.project, version=version, read_at=timezone.now())
    ranks = {"wrong": 0, "missing": 0}
    for image in Image.objects.filter(pk__in=[image.pk for image in images], reviews_done__gt=0):
        for name in planted.tags:
            kind = "wrong" if name in planted.yes_of(image) else "missing"
            ranks[kind] += 1
            Suspect.objects.create(
                **{"project": planted.project, "image": image, "tag_id": planted.tags[name]},
                **{"kind": kind, "rank": ranks[kind], "score": 0.01 if kind == "wrong" else 0.98},
            )


def _disagree(planted: Planted) -> None:
    """Two people about two images, of which one is odd in every way."""
    untouched = Image.objects.filter(project=planted.project, deleted_at=None, reviews=None).order_by("pk")
    for number, image in enumerate(untouched[:2]):
        storage.put(image.storage_key, picture_bytes(number))
        review_by_two(planted.cast, image, ["dog", "tree"], ["boat"])
        assert image.state == Image.State.DISPUTED
    make_odd(image)


def _see_again(planted: Planted, images: list[Image]) -> None:
    """Two people more look at these images, one of a long name, and a reviewer has the last word."""
    planted.cast.second.first_name = "Maximiliana Featherstonehaugh-" + "x" * 60
    planted.cast.second.save()
    for image in images:
        for user in (planted.cast.second, planted.cast.manager):
            reviewed(user, image, yes=[planted.tags["dog"]], seconds=4.0, keystrokes=2)
        last_word(planted.cast.reviewer, image, planted.tags["dog"], "yes")


def _tag_twice(planted: Planted, images: list[Image]) -> None:
    """Reviewed images by a second person, who differs now and then; some blind, by two."""
    for place, image in enumerate(
        Image.objects.filter(pk__in=[image.pk for image in images], reviews_done__gt=0)
    ):
        yes = {planted.tags[name] for name in planted.yes_of(image)}
        reviewed(planted.cast.second, image, yes=yes, blind=place % 2 == 0)
        if place % 2 == 0:
            also = {planted.tags["dog"]} if place % 3 == 0 else set()
            reviewed(planted.cast.reviewer, image, yes=yes ^ also, blind=True)


def _foretell(version: ModelVersion, tags: dict[str, int]) -> None:
    """A finished forecast, as the steps of a worker leave it."""
    row = LearningForecast.objects.create(
        project=version.project,
        version=version,
        images=120,
        judged_on="set aside",
        judged_ids=[1, 2, 3],
        points=[
            {"images": images, "draw": draw, "tags": {str(tag_id): value for tag_id in tags.values()}}
            for images, draw, value in (
                (12, 0, 0.4),
                (12, 1, 0.44),
                (25, 0, 0.5),
                (50, 0, 0.58),
                (90, 0, 0.63),
            )
        ],
    )
    forecasts._finish(row)


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


def _put_below(planted: Planted, *names: str) -> None:
    """Each tag below the one before."""
    for parent, name in itertools.pairwise(names):
        tag = Tag.objects.get(pk=planted.tags[name])
        tags.update(tag, {"parent": parent}, actor=planted.cast.admin)


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
        "tags/?tree=1",
    )
    yield from (
        "tags/proposed/",
        f"tags/{tag}/",
        f"tags/{tag}/retire/",
        f"tags/{tag}/merge/",
        f"tags/{tag}/merge/?into=boat",
        f"tags/{tag}/split/",
        f"tags/{tag}/delete/",
        "tags/changes/",
        "tags/trash/",
        "people/",
        "people/second/",
        "people/audit/",
    )
    yield from ("verify/", f"verify/?tag={tag}", "guide/", "flags/", "review/?one=1", f"review/?tag={tag}")
    yield from ("trash/", "trash/empty/", f"tags/{_throw_away_a_tag(planted)}/remove/")
    yield from ("quality/", "quality/?kind=missing", "quality/?after=100000")
    yield from ("quality/disagreements/", "quality/disagreements/?after=100000")
    yield from ("quality/annotators/", "quality/annotators/?days=7&order=agreement")
    yield from ("quality/agreement/", "quality/agreement/?blind=true&order=name")
    yield from _duplicate_pages(planted.project)
    first, second = Snapshot.objects.order_by("pk").values_list("pk", flat=True)
    yield from (
        "export/snapshots/",
        f"export/snapshots/compare/?before={first}&after={second}",
        f"export/snapshots/{first}/remove/",
    )
    yield from (
        "import/",
        "import/table/",
        "import/?from=addresses",
        "import/?from=s3",
        "export/",
        "settings/",
        "settings/delete/",
        "gallery/?q=nothing-has-this",
    )


def _look_alike(cast: Cast) -> None:
    """Three near-copies of which one is of the holdout; captions and names of odd lengths among them."""
    copies = make_copies(cast.project, 3)
    copies[1].caption, copies[2].caption, copies[2].name = CAPTION * 12, HEBREW, LONG_NAME
    copies[2].is_holdout = True
    for image in copies:
        image.save()
        storage.put(image.storage_key, picture_bytes(7))
    near_pairs.find(cast.project.pk)


def _duplicate_pages(project: Project) -> Iterator[str]:
    """The first group and the question before it is joined."""
    group = DuplicateGroup.objects.filter(project=project).earliest("pk")
    first = NearPair.objects.filter(group=group).earliest("pk").first_id
    yield from ("gallery/duplicates/", "gallery/duplicates/?state=kept", f"gallery/duplicates/{group.pk}/")
    yield f"gallery/duplicates/{group.pk}/?ask=true&keep={first}"


def _model_pages(versions: list[ModelVersion]) -> Iterator[str]:
    first, second = versions
    yield from (
        "models/",
        "models/finetune/",
        "models/policy/",
        "models/asking/",
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


def _freeze(cast: Cast, name: str) -> None:
    tasks.run_snapshot(snapshots.start(cast.project, actor=cast.admin, name=name).pk)


def _post(cast: Cast, address: str, data: dict[str, object], **options: str) -> int:
    client = Client()
    client.force_login(cast.admin)
    answer = client.post(f"/api/v1{address}", data, **options)
    assert answer.status_code == 202, answer.content
    return int(answer.json()["id"])
