"""Reads of the audit trail: who did what to a project, newest first, each event as a sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations import audit_words
from annotations.audit_words import Names
from annotations.errors import BadInput
from annotations.models import AuditEvent, Flag, Image, Project, Tag, User

_ACTION = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?")


@dataclass(frozen=True)
class Told:
    """One event. `actor` is None for what a command or the machine itself did."""

    id: int
    actor: str | None
    action: str
    sentence: str
    details: Mapping[str, Any]
    created_at: datetime


def listing(
    project: Project,
    *,
    actor: str | None = None,
    actions: Sequence[str] = (),
    since: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """The events of this person, of any of these actions, from that moment on; newest first.

    An action is named in full (`tags.retire`), or by what stands before its dot (`tags`). Raises BadInput for what
    cannot be one.
    """
    events = AuditEvent.objects.filter(project=project).select_related("actor")
    if actor is not None:
        events = events.filter(actor__in=User.objects.filter(username=actor))
    if actions:
        events = events.filter(_any_of(actions))
    if since is not None:
        events = events.filter(created_at__gte=since)
    return events.order_by("-id")


def told(project: Project, events: Sequence[AuditEvent]) -> list[Told]:
    """The events as sentences; three queries for the names in them, however many there are."""
    names = _names(project, events)
    return [
        Told(
            event.pk,
            event.actor.username if event.actor else None,
            event.action,
            audit_words.sentence(event.action, event.details, names),
            event.details,
            event.created_at,
        )
        for event in events
    ]


def people(project: Project) -> list[str]:
    """Everybody who has done something here, by name; also those who have left."""
    did = AuditEvent.objects.filter(project=project, actor=OuterRef("pk"))
    return list(User.objects.filter(Exists(did)).order_by("username").values_list("username", flat=True))


def _any_of(actions: Sequence[str]) -> Q:
    wanted = Q()
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise BadInput(
                f"`action` is a word like tags or tags.retire, not “{action[:40]}”.", code="bad_action"
            )
        wanted |= Q(action=action) if "." in action else Q(action__startswith=f"{action}.")
    return wanted


def _names(project: Project, events: Sequence[AuditEvent]) -> Names:
    said = [event.details for event in events]
    tag_ids = _ids(said, "tag") | {number for details in said for number in _many(details)}
    tags = Tag.objects.filter(project=project, pk__in=tag_ids)
    images = Image.objects.filter(project=project, pk__in=_ids(said, "image"))
    flags = Flag.objects.filter(project=project, pk__in=_ids(said, "flag"))
    return Names(
        tags=dict(tags.values_list("pk", "name")),
        images=dict(images.values_list("pk", "name")),
        flagged=dict(flags.values_list("pk", "image__name")),
    )


def _ids(said: Sequence[Mapping[str, Any]], name: str) -> set[int]:
    return {details[name] for details in said if isinstance(details.get(name), int)}


def _many(details: Mapping[str, Any]) -> list[int]:
    """Tags that an action on many images speaks of; of hundreds only the first are named."""
    most = audit_words.NAMED_MOST
    return [*(details.get("add") or [])[:most], *(details.get("remove") or [])[:most]]
