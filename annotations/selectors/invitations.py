"""Reads of invitations: those of a project, and the one that a link names, with why it cannot be used."""

import hashlib

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotations.errors import Conflict, NotFound
from annotations.models import Invitation, Membership, Project, Role, User
from annotations.permissions import allows

STATES = ("open", "used", "revoked", "expired")
_PROBLEMS = {
    "used": "It works once, and somebody has joined by it. Was it you? Then sign in. Else ask {inviter} for another.",
    "revoked": "It was taken back. Ask {inviter} for a new one.",
    "expired": "It was valid for 7 days, which are over. Ask {inviter} for a new one.",
    "void": "{inviter} may not give this role any more. Ask a manager of the project for a new invitation.",
}


def listing(project: Project, *, state: str | None = None) -> QuerySet[Invitation]:
    """The project's, newest first, with the people in them."""
    rows = Invitation.objects.filter(project=project).select_related("created_by", "used_by")
    return (rows if state is None else rows.filter(_is(state))).order_by("-id")


def get(project: Project, invitation_id: int) -> Invitation:
    found = listing(project).filter(pk=invitation_id).first()
    if found is None:
        raise NotFound(f"Invitation {invitation_id} is not in this project.", invitation=invitation_id)
    return found


def by_token(token: str) -> Invitation:
    """The invitation of a link, in whatever state it is, with its project and its people."""
    rows = Invitation.objects.select_related("project", "created_by", "used_by")
    found = rows.filter(token_sha256=digest(token), project__deleted_at=None).first()
    if found is None:
        raise NotFound(
            "This link belongs to no invitation. Copy it whole, or ask whoever sent it for a new one.",
            code="unknown_invitation",
        )
    return found


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def state(invitation: Invitation) -> str:
    if invitation.used_at is not None:
        return "used"
    if invitation.revoked_at is not None:
        return "revoked"
    return "open" if invitation.expires_at > timezone.now() else "expired"


def problem(invitation: Invitation) -> Conflict | None:
    """Why nobody can join by it, and what to do; None where somebody can."""
    is_void = state(invitation) == "open" and not _still_stands(invitation)
    why = "void" if is_void else state(invitation)
    if why == "open":
        return None
    inviter = invitation.created_by.username if invitation.created_by else "a manager of the project"
    return Conflict(_PROBLEMS[why].format(inviter=inviter), code=f"invitation_{why}")


def membership_of(invitation: Invitation, user: User) -> Membership | None:
    return Membership.objects.filter(project=invitation.project_id, user=user).first()


def raises(invitation: Invitation, membership: Membership | None) -> bool:
    """Whether joining gives the person anything: the higher role stays."""
    return membership is None or Role(invitation.role).rank > Role(membership.role).rank


def _still_stands(invitation: Invitation) -> bool:
    """An invitation is worth what its maker may still do: nobody leaves a way back in for themselves."""
    action = "appoint_admin" if invitation.role == Role.ADMIN else "edit_members"
    inviter = Membership.objects.filter(
        project=invitation.project_id, user=invitation.created_by_id, user__is_active=True
    ).first()
    return inviter is not None and allows(inviter.role, action)


def _is(state: str) -> Q:
    unspent, now = Q(used_at=None, revoked_at=None), timezone.now()
    return {
        "used": Q(used_at__isnull=False),
        "revoked": Q(used_at=None, revoked_at__isnull=False),
        "expired": unspent & Q(expires_at__lte=now),
        "open": unspent & Q(expires_at__gt=now),
    }[state]
