"""Accounts of the installation: create a person with a right, issue API tokens."""

import secrets
from datetime import timedelta

from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from knox.models import AuthToken

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import Membership, Project, Role, User
from annotations.services import audit

# What `create_user --role` gives in the whole installation; a project is joined only by name.
INSTALLATION_ROLES = (Role.ANNOTATOR, Role.MANAGER, Role.ADMIN)


@transaction.atomic
def create_user(
    name: str, *, role: str, password: str | None = None, project: Project | None = None
) -> tuple[User, str | None]:
    """Create an account; also the password if it was made here. Raises Conflict if the name is taken."""
    if User.objects.filter(username=name).exists():
        raise Conflict(f"“{name}” already exists.", code="user_exists")
    made = None
    if password is None:
        password = made = secrets.token_urlsafe(12)
    user = User(username=name, is_staff=role == Role.ADMIN, is_superuser=role == Role.ADMIN)
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), code="bad_account") from error
    user.set_password(password)
    user.save()
    if role == Role.MANAGER:
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label="annotations", codename="add_project")
        )
    if project is not None:
        Membership.objects.create(project=project, user=user, role=role)
        audit.record(project.pk, "members.set", actor_id=None, user=name, role=role)
    return user, made


def create_token(name: str, *, expires_in: timedelta | None = timedelta(days=90)) -> str:
    """A new API token; the key is told once and stored hashed."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise NotFound(f"Nobody signs in as “{name}”. Create the account with create_user first.")
    _, key = AuthToken.objects.create(user=user, expiry=expires_in)
    return key


def find_project(text: str) -> Project:
    """The project with this id or exact name. Raises NotFound, or Conflict if a name is not unique."""
    projects = Project.objects.filter(deleted_at=None)
    found = list(projects.filter(pk=int(text)) if text.isdecimal() else projects.filter(name=text)[:2])
    if not found:
        raise NotFound(f"There is no project with the id or name “{text}”.", code="unknown_project")
    if len(found) > 1:
        raise Conflict(f"Several projects are called “{text}”: give the id.", code="ambiguous_project")
    return found[0]
