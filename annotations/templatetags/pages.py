"""How pages write figures: short decimals, time since, addresses that may be missing. No queries here."""

from datetime import datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.timesince import timesince

from annotations.models import Image, Role
from annotations.selectors import queue

register = template.Library()


@register.simple_tag
def page_address(name: str, project_id: int) -> str:
    """The address of a project's page; empty where this installation does not serve it."""
    try:
        return reverse(name, args=[project_id])
    except NoReverseMatch:
        return ""


@register.simple_tag
def thumbnail(image: Image) -> str:
    """The address of the image's small thumbnail."""
    return queue.addresses(image)["thumbnail_url"]


@register.simple_tag
def large_thumbnail(image: Image) -> str:
    """The address of the thumbnail for tiles that are wider than the small one."""
    return queue.thumbnail_url(image, 512)


@register.filter
def article(role: str) -> str:
    """“a” or “an”, whichever stands before the role."""
    return Role(role).article


@register.filter
def a_role(role: str) -> str:
    """“a reviewer”, “an admin”."""
    return Role(role).with_article


@register.filter
def decimal(value: float | None) -> str:
    """A share in [0, 1] as it stands in tables: .72, and 1.00 for one."""
    if value is None:
        return "–"
    return f"{float(value):.2f}".removeprefix("0") if value < 0.995 else "1.00"


@register.filter
def ago(moment: datetime | None) -> str:
    """“now”, or the largest unit of the time since: “2 hours ago”."""
    if moment is None:
        return "never"
    if (timezone.now() - moment).total_seconds() < 60:
        return "now"
    return f"{timesince(moment, depth=1)} ago"
