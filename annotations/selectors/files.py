"""What serving a picture's file needs to know, with the access check, in one query."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q

from annotations.errors import NotFound
from annotations.models import Image, User
from annotations.permissions import roles_that_may


@dataclass(frozen=True)
class PictureFile:
    """Where a picture lies, and the role of who asks."""

    project_id: int
    sha256: str
    storage_key: str
    format: str
    name: str
    shows_as_is: bool
    role: str


def picture_file(user: User | AnonymousUser, project_id: int, image_id: int) -> PictureFile:
    """Raises NotFound for strangers, and for images in the trash unless it may be looked through."""
    row = (
        Image.objects.filter(
            Q(deleted_at=None) | Q(project__memberships__role__in=roles_that_may("edit_images")),
            pk=image_id,
            project_id=project_id,
            project__deleted_at=None,
            project__memberships__user_id=user.pk or 0,
        )
        .annotate(role=F("project__memberships__role"))
        .values_list("project_id", "sha256", "storage_key", "format", "name", "shows_as_is", "role")
        .first()
    )
    if row is None:
        raise NotFound(f"Image {image_id} does not exist in this project.")
    return PictureFile(*row)
