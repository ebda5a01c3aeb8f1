"""Who may see what: every lookup goes through the project, and a stranger gets NotFound."""

from django.contrib.auth.models import AnonymousUser

from annotations.errors import NotFound, RoleTooLow
from annotations.models import Membership, Role, User


def membership_for(user: User | AnonymousUser, project_id: int) -> Membership:
    """The user's membership with its project, in one query; NotFound for a stranger."""
    membership = (
        Membership.objects.select_related("project")
        .filter(project_id=project_id, user=user.pk, project__deleted_at=None)
        .first()
    )
    if membership is None:
        raise NotFound(f"Project {project_id} does not exist, or you are not a member of it.")
    return membership


def require_role(membership: Membership, at_least: Role) -> None:
    if Role(membership.role).rank < at_least.rank:
        raise RoleTooLow(
            f"This needs the role {at_least.value} or higher; yours is {membership.role}. "
            "Ask an admin of the project.",
            needed=at_least.value,
            yours=membership.role,
        )


def may_create_projects(user: User) -> bool:
    """Installation admins, and managers and admins of any project."""
    if user.is_staff or user.has_perm("annotations.add_project"):
        return True
    return Membership.objects.filter(user=user, role__in=[Role.MANAGER, Role.ADMIN]).exists()
