"""Reads of flags: annotators see their own, reviewers all. A flag of an image in the trash is shown to nobody."""

from django.db.models import Prefetch, QuerySet

from annotations.errors import NotFound
from annotations.models import Flag, FlagComment, Image, Membership, Project
from annotations.permissions import allows

STATES = ("open", "resolved")
COUNTED_MOST = 1_000


def visible_to(membership: Membership) -> QuerySet[Flag]:
    """The flags that this person may see, without what hangs on them."""
    flags = Flag.objects.filter(project=membership.project, image__deleted_at=None)
    return flags if allows(membership.role, "see_all_flags") else flags.filter(author=membership.user_id)


def listing(
    membership: Membership, *, state: str | None = None, image_id: int | None = None
) -> QuerySet[Flag]:
    """With image, people and answers at hand: two queries, however many flags. `state`: open, resolved or both."""
    flags = visible_to(membership)
    if state is not None:
        flags = flags.filter(resolved_at__isnull=state == "open")
    if image_id is not None:
        flags = flags.filter(image=image_id)
    return _whole(flags).order_by("-id")


def of_image(membership: Membership, image: Image) -> list[Flag]:
    """The image's flags, the open ones first, then the newest. Two queries."""
    flags = listing(membership, image_id=image.pk)
    return sorted(flags, key=lambda flag: flag.resolved_at is not None)


def get(membership: Membership, flag_id: int) -> Flag:
    flag = _whole(visible_to(membership)).filter(pk=flag_id).first()
    if flag is None:
        raise NotFound(f"Flag {flag_id} is not in this project, or it is somebody else's.", flag=flag_id)
    return flag


def counts(membership: Membership) -> dict[str, int]:
    """Flags that this person may see, by state; each counted up to `COUNTED_MOST`. Two queries."""
    return {state: _count(membership, state) for state in STATES}


def open_count(membership: Membership) -> int:
    """The same for the open ones alone: what the navigation shows. One query."""
    return _count(membership, "open")


def flagged_image_ids(
    project: Project, *, state: str | None = "open", author_id: int | None = None
) -> QuerySet[Flag, int]:
    """Ids of images with such a flag, or one of this person, as a subquery for `Image.objects.filter(pk__in=...)`."""
    flags = Flag.objects.filter(project=project)
    if state is not None:
        flags = flags.filter(resolved_at__isnull=state == "open")
    if author_id is not None:
        flags = flags.filter(author=author_id)
    return flags.values_list("image_id", flat=True)


def _count(membership: Membership, state: str) -> int:
    flags = visible_to(membership).filter(resolved_at__isnull=state == "open")
    return flags[:COUNTED_MOST].count()


def _whole(flags: QuerySet[Flag]) -> QuerySet[Flag]:
    answers = FlagComment.objects.select_related("author").order_by("id")
    return flags.select_related("image", "author", "resolved_by").prefetch_related(
        Prefetch("comments", queryset=answers)
    )
