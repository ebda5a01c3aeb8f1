"""Accounts of the installation: create a person with a right, change what they may, issue API tokens by name."""

import secrets
from collections.abc import Mapping

from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from annotations.errors import BadInput, Conflict, NotFound, Refused
from annotations.models import Membership, Project, Role, User
from annotations.services import audit, tokens

# What `create_user --role` gives in the whole installation; a project is joined only by name.
INSTALLATION_ROLES = (Role.ANNOTATOR, Role.MANAGER, Role.ADMIN)
# Words that stand in addresses where a member's name would.
RESERVED_NAMES = ("audit", ".", "..")


@transaction.atomic
def create_user(
    name: str, *, role: str, password: str | None = None, project: Project | None = None
) -> tuple[User, str | None]:
    """Create an account; also the password if it was made here. Raises Conflict if the name is taken."""
    # By any case: two names that look alike would be taken for each other, also at sign-in.
    if User.objects.filter(username__iexact=name).exists():
        raise _taken(name)
    if name.lower() in RESERVED_NAMES:
        raise BadInput(f"“{name}” cannot be a user name. Choose another.", code="bad_account")
    made = None
    if password is None:
        password = made = secrets.token_urlsafe(12)
    user = User(username=name, is_staff=role == Role.ADMIN, is_superuser=role == Role.ADMIN)
    _check(user, password)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # somebody else took the name in the same moment
        raise _taken(name) from error
    if role == Role.MANAGER:
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label="annotations", codename="add_project")
        )
    if project is not None:
        Membership.objects.create(project=project, user=user, role=role)
        audit.record(project.pk, "members.set", actor_id=None, user=name, role=role)
    return user, made


def _taken(name: str) -> Conflict:
    return Conflict(f"“{name}” already exists.", code="user_exists")


def _check(user: User, password: str) -> None:
    """Raises BadInput `bad_account` or `bad_password`."""
    for code, check in (
        ("bad_account", lambda: user.full_clean(exclude=["password"])),
        ("bad_password", lambda: validate_password(password, user)),
    ):
        try:
            check()
        except ValidationError as error:
            raise BadInput(" ".join(error.messages), code=code) from error


@transaction.atomic
def set_access(user: User, wanted: Mapping[str, bool], *, actor: User) -> User:
    """Let somebody sign in or not, and make them an admin of the installation or not.

    Raises Refused `own_access` where the actor would shut themselves out: so one admin always remains.
    """
    refuse_locking_oneself_out(user, wanted, actor=actor)
    user.is_active, user.is_staff = wanted["is_active"], wanted["is_staff"]
    user.is_superuser = user.is_staff
    user.save(update_fields=["is_active", "is_staff", "is_superuser"])
    return user


def refuse_locking_oneself_out(user: User, wanted: Mapping[str, bool], *, actor: User) -> None:
    if user.pk == actor.pk and not (wanted["is_active"] and wanted["is_staff"]):
        raise Refused(
            "You cannot close your own account or stop being an admin: another admin can.", code="own_access"
        )


def create_token(name: str, *, days: int) -> str:
    """A new API token for this person, valid for so many days (0: until it is revoked)."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise NotFound(f"Nobody signs in as “{name}”. Create the account with create_user first.")
    return tokens.create(user, days=days)


def find_project(text: str) -> Project:
    """The project with this id or exact name. Raises NotFound, or Conflict if a name is not unique."""
    projects = Project.objects.filter(deleted_at=None)
    found = list(projects.filter(pk=int(text)) if text.isdecimal() else projects.filter(name=text)[:2])
    if not found:
        raise NotFound(f"There is no project with the id or name “{text}”.", code="unknown_project")
    if len(found) > 1:
        raise Conflict(f"Several projects are called “{text}”: give the id.", code="ambiguous_project")
    return found[0]
