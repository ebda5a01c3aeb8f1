"""The queue as its readers see it: Items of leases, and what remains."""

from typing import Any

from django.utils import timezone

from annotations.models import Image, Lease, Project, User
from annotations.selectors import counters


def item(lease: Lease) -> dict[str, Any]:
    """An Item as the API and the review page show it; everything comes from the lease and its image."""
    image = lease.image
    return {
        "image": {"id": image.pk, **addresses(image), **_picture(image)},
        "lease": {"token": str(lease.token), "expires_at": lease.expires_at.isoformat()},
        "suggestions": lease.shown,
        "calibrated": lease.calibrated,
        "model_version": {"id": lease.model_version_id, "number": lease.model_number},
        "why": lease.why,
        "blind": lease.blind,
    }


def addresses(image: Image) -> dict[str, str]:
    return {"url": f"{_address(image)}/file/", "thumbnail_url": thumbnail_url(image, 256)}


def thumbnail_url(image: Image, size_px: int) -> str:
    """Of a size that is made: 256, 512 or 1024."""
    return f"{_address(image)}/thumbnail/?size={size_px}"


def _address(image: Image) -> str:
    return f"/api/v1/projects/{image.project_id}/images/{image.pk}"


def remaining(project: Project, user: User, *, sees_unsure: bool) -> dict[str, int]:
    """Images that still want a review by such a person, from kept counters, and how many the caller holds."""
    counts = counters.read(project.pk)
    leased = Lease.objects.filter(
        project=project, user=user, is_open=True, expires_at__gt=timezone.now()
    ).count()
    waiting = counts.get("pending", 0) + (counts.get("unsure", 0) if sees_unsure else 0)
    return {"remaining": waiting, "leased_by_me": leased}


def _picture(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "caption": image.caption,
        "revision": image.revision,
    }
