"""Writes of invitations: made, taken back, and used by exactly one person."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.models import Invitation, Membership, Role, User
from annotations.models.invitation import NOTE_MAX_CHARS
from annotations.selectors import invitations
from annotations.services import accounts, audit, projects

VALID_FOR = timedelta(days=7)
OPEN_MOST = 200


@transaction.atomic
def create(membership: Membership, *, role: str, note: str = "") -> tuple[Invitation, str]:
    """An invitation and the token of its link, which is told once: only its hash is stored.

    The role is at most what the member may give. Raises RoleTooLow, BadInput, or Conflict `too_many_invitations`.
    """
    projects.require_right_to_give(membership, role)
    said = " ".join(note.replace("\x00", "").split())
    if len(said) > NOTE_MAX_CHARS:
        raise BadInput(
            f"The note has {len(said)} characters; at most {NOTE_MAX_CHARS} fit.", code="note_too_long"
        )
    project = projects.locked(membership.project)
    if invitations.listing(project, state="open").count() >= OPEN_MOST:
        raise Conflict(
            f"{OPEN_MOST} invitations are open. Take some back, or wait until they are used or expire.",
            code="too_many_invitations",
        )
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        note=said,
        token_sha256=invitations.digest(token),
        created_by=membership.user,
        expires_at=timezone.now() + VALID_FOR,
    )
    audit.record(
        project.pk,
        "invitations.create",
        actor_id=membership.user_id,
        invitation=invitation.pk,
        role=role,
        note=said,
    )
    return invitation, token


@transaction.atomic
def revoke(membership: Membership, invitation_id: int) -> None:
    """Take an open invitation back. Raises Conflict where it was used, taken back or has expired."""
    project = projects.locked(membership.project)
    invitation = invitations.get(project, invitation_id)
    projects.require_right_to_give(membership, invitation.role)
    state = invitations.state(invitation)
    if state != "open":
        raise Conflict(f"The invitation is {state} already.", code=f"invitation_{state}", state=state)
    Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now())
    audit.record(
        project.pk,
        "invitations.revoke",
        actor_id=membership.user_id,
        invitation=invitation.pk,
        role=invitation.role,
        note=invitation.note,
    )


@transaction.atomic
def accept(token: str, *, actor: User) -> Membership:
    """Join by a link, or rise to its role; whoever has it or a higher one keeps theirs, and the link stays open.

    Raises NotFound for an unknown link, Conflict for one that is used, taken back, expired or void.
    """
    invitation = _locked(token)
    present = invitations.membership_of(invitation, actor)
    if not invitations.raises(invitation, present):
        assert present is not None
        return present
    Invitation.objects.filter(pk=invitation.pk).update(used_at=timezone.now(), used_by=actor)
    member, _ = Membership.objects.update_or_create(
        project=invitation.project, user=actor, defaults={"role": invitation.role}
    )
    inviter = invitation.created_by
    audit.record(
        invitation.project_id,
        "invitations.accept",
        actor_id=actor.pk,
        invitation=invitation.pk,
        role=invitation.role,
        by=inviter and inviter.username,
    )
    return member


@transaction.atomic
def accept_with_account(token: str, *, name: str, password: str) -> User:
    """Create an account and join with it; neither happens without the other.

    An account has no right but what the invitation gives.
    """
    _locked(token)
    user, _ = accounts.create_user(name, role=Role.ANNOTATOR, password=password)
    accept(token, actor=user)
    return user


def _locked(token: str) -> Invitation:
    """A usable invitation, locked behind its project: of two who use it at once the second finds it used."""
    projects.locked(invitations.by_token(token).project)
    invitation = invitations.by_token(token)
    problem = invitations.problem(invitation)
    if problem is not None:
        raise problem
    return invitation
