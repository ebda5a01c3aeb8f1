"""State for tests, built with the services: a fixed cast, a vocabulary, and images that need no file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from annotations.models import Image, Lease, Membership, Project, Role, User
from annotations.services import counters, leases, projects, queue, reviews, tags
from annotations.services.reviews import Recorded
from annotations.types import Answer, TagSpec


@dataclass
class Cast:
    """One project and the people around it; `outsider` belongs to another project of the installation."""

    project: Project
    admin: User
    manager: User
    reviewer: User
    annotator: User
    second: User
    outsider: User
    members: dict[str, Membership] = field(default_factory=dict)

    def membership(self, user: User) -> Membership:
        """Fresh from the database, as each request has it."""
        return Membership.objects.select_related("project", "user").get(project=self.project, user=user)


def make_cast(**project_fields: object) -> Cast:
    admin = User.objects.create_user("admin", password="a password for tests", is_staff=True)
    people = {
        name: User.objects.create_user(name, password="a password for tests")
        for name in ("manager", "reviewer", "annotator", "second", "outsider")
    }
    project = projects.create(admin, name="Outdoors", **project_fields)
    boss = Membership.objects.select_related("project", "user").get(project=project, user=admin)
    for name, role in (
        ("manager", Role.MANAGER),
        ("reviewer", Role.REVIEWER),
        ("annotator", Role.ANNOTATOR),
        ("second", Role.ANNOTATOR),
    ):
        projects.set_member(boss, name, role)
    projects.create(admin, name="Elsewhere")
    return Cast(project=project, admin=admin, **people)


def make_tags(project: Project, *names: str) -> dict[str, int]:
    """Active tags by name, and their ids."""
    created = tags.create_many(project, [TagSpec(name=name) for name in names], actor=None)
    project.refresh_from_db()
    return {tag.name: tag.pk for tag in created}


def make_answered(project: Project, *, training: int, holdout: int) -> None:
    """Images that count as answered, without the reviews: for what only counts them."""
    answered = {"reviews_done": 1, "state": Image.State.REVIEWED}
    for is_holdout, first, count in ((False, 10_000, training), (True, 20_000, holdout)):
        made = make_images(project, count, holdout=is_holdout, first=first)
        Image.objects.filter(pk__in=[image.pk for image in made]).update(**answered)


def make_images(
    project: Project, count: int, *, holdout: bool = False, first: int = 0, caption: str = ""
) -> list[Image]:
    """Rows as an import leaves them, without files: the same bytes in every run, so that every draw comes out alike."""
    images = []
    for index in range(first, first + count):
        digest = hashlib.sha256(f"{project.name}/{index}".encode()).hexdigest()
        place = hashlib.sha256(
            f"{project.pk}/{index}".encode()
        ).hexdigest()  # apart from those of earlier tests
        images.append(
            Image(
                project=project,
                sha256=digest,
                phash=int(digest[:15], 16),
                name=f"picture-{index:04}.jpg",
                source="upload",
                format="JPEG",
                storage_key=f"originals/{place[:2]}/{place}.jpg",
                size_bytes=1,
                width_px=640,
                height_px=480,
                caption=caption,
                is_holdout=holdout,
                holdout_probability=0.15,
                shuffle=int(digest[:8], 16) / 2**32,
            )
        )
    Image.objects.bulk_create(images)
    queue.enter(images)
    counters.add(project.pk, {"images": count, "pending": count, "holdout": count if holdout else 0})
    return images


def make_copies(project: Project, count: int, *, bits: int = 1, **fields: Any) -> list[Image]:
    """New images of which each is a near-copy of the first: its hash differs in `bits` places more each time."""
    images = make_images(project, count, first=project.images.count(), **fields)
    half = int(images[0].sha256[:8], 16) & 0x7FFF_FFFF
    telling = half << 32 | half ^ 0xFFFF_FFFF  # 32 bits or so are set, as in the hash of any photograph
    for number, image in enumerate(images):
        image.phash = telling ^ ((1 << number * bits) - 1)
    Image.objects.bulk_update(images, ["phash"])
    return images


def review_next(
    cast: Cast,
    user: User,
    *,
    yes: tuple[int | str, ...] = (),
    rejected: tuple[int | str, ...] = (),
    **said: object,
) -> Recorded:
    """Take the next image and answer it."""
    membership = cast.membership(user)
    lease = leases.claim_next(membership.project, user, role=Role(membership.role), count=1)[0]
    return answer_lease(cast, user, lease, yes=yes, rejected=rejected, **said)


def answer_lease(
    cast: Cast, user: User, lease: Lease, *, yes: Sequence = (), rejected: Sequence = (), **said: object
) -> Recorded:
    fields: dict[str, object] = {
        "client_id": None,
        "image_id": lease.image_id,
        "lease": str(lease.token),
        "revision": Image.objects.values_list("revision", flat=True).get(pk=lease.image_id),
        "outcome": "reviewed",
        "tags": tuple(yes),
        "rejected": tuple(rejected),
    } | said
    return reviews.record(cast.membership(user), Answer(**fields))  # type: ignore[arg-type]


def review_by_two(
    cast: Cast, image: Image, first: Sequence[int | str], second: Sequence[int | str]
) -> tuple[Recorded, Recorded]:
    """The image reviewed by the annotator and by the second one, each with these tags; the project asks for two."""
    Project.objects.filter(pk=cast.project.pk).update(reviews_per_image=2)
    cast.project.refresh_from_db()
    one, other = (
        answer_lease(cast, user, lease_of(cast, user, image), yes=yes)
        for user, yes in ((cast.annotator, first), (cast.second, second))
    )
    image.refresh_from_db()
    return one, other


def lease_of(cast: Cast, user: User, image: Image) -> Lease:
    """This very image, handed out to the person without suggestions."""
    return Lease.objects.create(
        project=cast.project,
        image=image,
        user=user,
        expires_at=timezone.now() + leases.LEASE_DURATION,
        **{"mode": "mixed", "why": "random", "stratum": "random", "blind": False},
        vocabulary_version=Project.objects.values_list("vocabulary_version", flat=True).get(
            pk=cast.project.pk
        ),
    )
