"""The keys that a person chose for the Review page, and whose hotkeys they meet."""

from collections.abc import Iterable

from annotations import review_keys
from annotations.models import Tag, User


def own(user: User) -> dict[str, list[str]]:
    """Only what differs from the list, by the command's name."""
    kept = user.preferences.get("keys", {})
    return {command.name: kept[command.name] for command in review_keys.COMMANDS if command.name in kept}


def are_single_keys_on(user: User) -> bool:
    """Whether letters, digits and signs act at all: some people press them by accident, or speak them."""
    return bool(user.preferences.get("single_keys", True))


def hotkeys_met(user: User, keys: Iterable[str]) -> dict[str, Tag]:
    """Active tags of the person's projects that have one of these hotkeys, by key. One query."""
    tags = Tag.objects.filter(
        hotkey__in=list(keys),
        retired_at=None,
        project__deleted_at=None,
        project__memberships__user=user,
    )
    return {str(tag.hotkey): tag for tag in tags.select_related("project").order_by("-pk")}
