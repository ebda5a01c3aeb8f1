"""Who belongs to a project, with what they did; and a person's own API tokens."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from knox.models import AuthToken

from annotations.errors import NotFound
from annotations.models import Membership, Project, Review, User

RECENT = timedelta(days=7)


def members(project: Project) -> list[Membership]:
    """Everybody by name, with `reviews_lately` (of the last week) and `last_review_at`. Two queries."""
    found = list(Membership.objects.filter(project=project).select_related("user").order_by("user__username"))
    rows = (
        Review.objects.filter(project=project, undone_at=None, created_at__gte=timezone.now() - RECENT)
        .values("user")
        .annotate(reviews=Count("pk", filter=Q(outcome=Review.Outcome.REVIEWED)), last=Max("created_at"))
    )
    work: dict[int | None, dict[str, Any]] = {row["user"]: dict(row) for row in rows}
    for member in found:
        done = work.get(member.user_id, {})
        member.reviews_lately = done.get("reviews", 0)  # type: ignore[attr-defined]
        member.last_review_at = done.get("last")  # type: ignore[attr-defined]
    return found


def member(project: Project, username: str) -> Membership:
    found = Membership.objects.filter(project=project, user__username=username).select_related("user").first()
    if found is None:
        raise NotFound(f"“{username}” is not a member of this project.")
    return found


def user(project_id: int, user_id: int) -> User:
    """The person behind an id, who must be a member."""
    found = Membership.objects.filter(project=project_id, user=user_id).select_related("user").first()
    if found is None:
        raise NotFound(f"User {user_id} is not a member of this project.")
    return found.user


def names(project: Project) -> list[str]:
    """Of everybody in the project, in order."""
    members = Membership.objects.filter(project=project).order_by("user__username")
    return list(members.values_list("user__username", flat=True))


def tokens(user: User) -> QuerySet[AuthToken]:
    """The person's valid tokens, newest first. Their keys are stored hashed: only the first letters are known."""
    valid = Q(expiry=None) | Q(expiry__gt=timezone.now())
    return AuthToken.objects.filter(valid, user=user).order_by("-created")
