"""The few numbers beside the links of a project's navigation. Three queries, whatever the project's size."""

from typing import Any

from django.db.models import Count, Q

from annotations.models import LiveModel, Project, Tag
from annotations.selectors import counters


def counts(project: Project) -> dict[str, Any]:
    """By the name of the page: images to review, images, active tags, the live version."""
    kept = counters.read(project.pk)
    tags = Tag.objects.filter(project=project).aggregate(active=Count("pk", filter=Q(retired_at=None)))
    number = LiveModel.objects.filter(project=project).values_list("number", flat=True).first()
    numbers: dict[str, Any] = {
        "review": kept.get("pending", 0) + kept.get("unsure", 0),
        "gallery": kept.get("images", 0),
        "tags": tags["active"],
    }
    return numbers | ({"models": f"v{number}"} if number else {})
