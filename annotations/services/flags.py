"""Writes of flags: raised, answered, resolved and opened again. Whoever may see a flag may answer it."""

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.models import Flag, FlagComment, Project, User
from annotations.models.flag import COMMENT_MAX_CHARS
from annotations.selectors import images
from annotations.services import audit


@transaction.atomic
def raise_flag(project: Project, image_id: int, *, comment: str, actor: User) -> Flag:
    """Say that somebody should look at the image, and why. Its state and its place in the queue stay."""
    text = _said(comment)
    image = images.get(project, image_id)
    flag = Flag.objects.create(project=project, image=image, author=actor, comment=text)
    audit.record(project.pk, "flags.raise", actor_id=actor.pk, flag=flag.pk, image=image.pk)
    return flag


@transaction.atomic
def answer(flag: Flag, *, text: str, actor: User) -> FlagComment:
    """Answer a flag, open or resolved."""
    comment = FlagComment.objects.create(flag=flag, author=actor, text=_said(text))
    audit.record(flag.project_id, "flags.comment", actor_id=actor.pk, flag=flag.pk, comment=comment.pk)
    return comment


@transaction.atomic
def resolve(flag: Flag, *, actor: User) -> Flag:
    """Close the flag. Raises Conflict `already_resolved`, naming who was faster."""
    row = _locked(flag)
    if row.resolved_at is not None:
        by = row.resolved_by.username if row.resolved_by else "somebody"
        raise Conflict(f"{by} has resolved this flag already.", code="already_resolved", flag=row.pk)
    row.resolved_at, row.resolved_by = timezone.now(), actor
    return _decided(row, "flags.resolve", actor)


@transaction.atomic
def reopen(flag: Flag, *, actor: User) -> Flag:
    """Open a resolved flag again. Raises Conflict `already_open`."""
    row = _locked(flag)
    if row.resolved_at is None:
        raise Conflict("This flag is open.", code="already_open", flag=row.pk)
    row.resolved_at, row.resolved_by = None, None
    return _decided(row, "flags.reopen", actor)


def _locked(flag: Flag) -> Flag:
    return Flag.objects.select_for_update(of=("self",)).select_related("resolved_by").get(pk=flag.pk)


def _decided(flag: Flag, action: str, actor: User) -> Flag:
    flag.save(update_fields=["resolved_at", "resolved_by"])
    audit.record(flag.project_id, action, actor_id=actor.pk, flag=flag.pk, image=flag.image_id)
    return flag


def _said(text: str) -> str:
    """The text without space around it; raises BadInput where nothing, or too much, is said."""
    said = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not said:
        raise BadInput("Say in a few words what is wrong.", code="empty_comment")
    if len(said) > COMMENT_MAX_CHARS:
        raise BadInput(
            f"A comment has at most {COMMENT_MAX_CHARS:,} characters; this one has {len(said):,}.",
            code="comment_too_long",
        )
    return said
