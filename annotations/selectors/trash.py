"""What lies in the trash and can still come back: images and tags of a project, and the projects that a person
administers.
"""

from datetime import datetime, timedelta
from math import ceil

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotations.errors import NotFound
from annotations.models import Decision, Image, Membership, Project, Role, Tag, User
from annotations.selectors import merges

KEPT_DAYS = 30


def kept_since() -> datetime:
    """What was deleted before this is removed for good."""
    return timezone.now() - timedelta(days=KEPT_DAYS)


def images(project: Project) -> QuerySet[Image]:
    """The latest deleted first."""
    return Image.objects.filter(project=project, deleted_at__isnull=False).order_by("-deleted_at", "-pk")


def images_after(project: Project, image_id: int) -> QuerySet[Image]:
    """Those that stand behind this one; none if it has left the trash."""
    last = images(project).filter(pk=image_id).first()
    if last is None:
        return Image.objects.none()
    earlier = Q(deleted_at__lt=last.deleted_at) | Q(deleted_at=last.deleted_at, pk__lt=last.pk)
    return images(project).filter(earlier)


def tags(project: Project) -> QuerySet[Tag]:
    """The latest deleted first; what was merged into one of them goes with it and is not listed."""
    rows = Tag.objects.filter(project=project, deleted_at__isnull=False, merged_into=None)
    return rows.order_by("-deleted_at", "-pk")


def tag_of(project: Project, tag_id: int) -> Tag:
    """Raises NotFound for one that is not in the trash."""
    tag = tags(project).filter(pk=tag_id).first()
    if tag is None:
        raise NotFound(f"Tag {tag_id} is not in the trash of this project.", tag=tag_id)
    tag.project = project
    return tag


def answers(tag: Tag) -> int:
    """How many answers go with the tag when it is removed for good, those to what was merged into it included."""
    members = merges.of_project(tag.project).members(tag.pk)
    return Decision.objects.filter(tag__in=members).count()


def days_left(deleted_at: datetime) -> int:
    """Days until it is removed for good, begun ones counted; at least 0."""
    return max(ceil((deleted_at - kept_since()) / timedelta(days=1)), 0)


def projects(user: User) -> QuerySet[Project]:
    """Deleted projects that this person may bring back, the latest first."""
    mine = Membership.objects.filter(user=user, role=Role.ADMIN).values("project_id")
    return Project.objects.filter(pk__in=mine, deleted_at__isnull=False).order_by("-deleted_at", "-pk")


def project_of(user: User, project_id: int) -> Project:
    """Raises NotFound for one that is not in the trash, or that this person does not administer."""
    project = projects(user).filter(pk=project_id).first()
    if project is None:
        raise NotFound(f"Project {project_id} is not in the trash, or you are not its admin.")
    return project


def expired_images() -> QuerySet[Image]:
    """Of all projects, the longest deleted first."""
    return Image.objects.filter(deleted_at__lt=kept_since()).order_by("deleted_at", "pk")


def expired_tags() -> QuerySet[Tag]:
    """Of all projects, the longest deleted first."""
    rows = Tag.objects.filter(deleted_at__lt=kept_since(), merged_into=None).select_related("project")
    return rows.order_by("deleted_at", "pk")


def expired_projects() -> QuerySet[Project]:
    return Project.objects.filter(deleted_at__lt=kept_since()).order_by("deleted_at", "pk")
