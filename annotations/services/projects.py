"""Writes of projects and their members."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from annotations import caption_languages, signals
from annotations.errors import BadInput, NotFound, Refused, RoleTooLow
from annotations.models import Membership, Project, Role, User
from annotations.permissions import allows, required_role
from annotations.selectors import access
from annotations.services import audit

SETTINGS = (
    "name",
    "description",
    "instructions",
    "reviews_per_image",
    "extractor",
    "holdout_percent",
    "caption_language",
    "unmarked",
    "keep_gps",
)


@transaction.atomic
def create(actor: User, **fields: object) -> Project:
    """Create a project; its creator becomes its admin."""
    if not access.may_create_projects(actor):
        raise RoleTooLow("Projects are created by managers and admins. Ask an admin of this installation.")
    checked = _checked(fields)
    if "extractor" in checked:
        signals.extractor_chosen.send(sender=None, name=checked["extractor"], project_id=None)
    project = Project.objects.create(created_by=actor, **checked)
    Membership.objects.create(project=project, user=actor, role=Role.ADMIN)
    audit.record(project.pk, "projects.create", actor_id=actor.pk)
    return project


@transaction.atomic
def update(membership: Membership, changes: Mapping[str, object]) -> Project:
    project = membership.project
    changes = _checked(changes)
    if changes.get("extractor", project.extractor) != project.extractor:
        _change_extractor(membership, changes["extractor"])
    for field, value in changes.items():
        setattr(project, field, value)
    project.save(update_fields=list(changes))
    audit.record(project.pk, "projects.update", actor_id=membership.user_id, fields=sorted(changes))
    return project


def _change_extractor(membership: Membership, name: object) -> None:
    """The model's side refuses an unknown name at once, and begins once the change is stored."""
    if not allows(membership.role, "choose_extractor"):
        raise RoleTooLow("Only an admin of the project changes its extractor.")
    signals.extractor_chosen.send(sender=None, name=name, project_id=membership.project_id)
    signals.send_on_commit(signals.extractor_changed, project_id=membership.project_id)


@transaction.atomic
def take_extractor(project_id: int, *, name: str, instead_of: str) -> bool:
    """Ask for an extractor that passed the gate; False if the settings ask for another one than they did."""
    project = Project.objects.select_for_update(no_key=True).filter(pk=project_id, deleted_at=None).first()
    if project is None or project.extractor != instead_of:
        return False
    signals.extractor_chosen.send(sender=None, name=name, project_id=project_id)
    Project.objects.filter(pk=project_id).update(extractor=name)
    audit.record(project_id, "models.take_extractor", actor_id=None, extractor=name)
    signals.send_on_commit(signals.extractor_changed, project_id=project_id)
    return True


@transaction.atomic
def trash(membership: Membership) -> None:
    """Move the project to the trash, where it stays for 30 days."""
    project = membership.project
    project.deleted_at = timezone.now()
    project.save(update_fields=["deleted_at"])
    audit.record(project.pk, "projects.trash", actor_id=membership.user_id)


@transaction.atomic
def set_member(membership: Membership, username: str, role: str) -> Membership:
    """Add a person or change their role. Only admins appoint admins, and one admin always remains."""
    refuse_unknown_role(role)
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(f"Nobody signs in as “{username}”. Create the account first.", code="unknown_user")
    project = locked(membership.project)
    present = Membership.objects.filter(project=project, user=user).first()
    _refuse_beyond_own_role(membership, present, role)
    if present and present.role == Role.ADMIN and role != Role.ADMIN:
        _refuse_last_admin(project, present)
    member, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    audit.record(project.pk, "members.set", actor_id=membership.user_id, user=username, role=role)
    return member


@transaction.atomic
def remove_member(membership: Membership, username: str) -> None:
    project = locked(membership.project)
    member = Membership.objects.filter(project=project, user__username=username).first()
    if member is None:
        raise NotFound(f"“{username}” is not a member of this project.", code="unknown_user")
    _refuse_beyond_own_role(membership, member, Role.ANNOTATOR)
    if member.role == Role.ADMIN:
        _refuse_last_admin(project, member)
    member.delete()
    audit.record(membership.project_id, "members.remove", actor_id=membership.user_id, user=username)


def require_right_to_give(membership: Membership, role: str) -> None:
    """Managers give any role but admin, which admins give."""
    refuse_unknown_role(role)
    access.require_role(membership, required_role("edit_members"))
    _refuse_beyond_own_role(membership, None, role)


def refuse_unknown_role(role: str) -> None:
    if role not in Role.values:
        raise BadInput(f"“{role}” is no role; choose one of {', '.join(Role.values)}.", code="unknown_role")


def locked(project: Project) -> Project:
    """The project's row, locked: two admins who remove each other at once must not both find another one left."""
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _refuse_beyond_own_role(membership: Membership, present: Membership | None, role: str) -> None:
    touches_admin = role == Role.ADMIN or (present is not None and present.role == Role.ADMIN)
    if touches_admin and not allows(membership.role, "appoint_admin"):
        raise RoleTooLow(
            "Only an admin of the project appoints or removes admins.",
            needed=required_role("appoint_admin").value,
        )


def _refuse_last_admin(project: Project, member: Membership) -> None:
    others = Membership.objects.filter(project=project, role=Role.ADMIN).exclude(pk=member.pk)
    if not others.exists():
        raise Refused("The project needs an admin: appoint another one first.", code="last_admin")


def _checked(fields: Mapping[str, object]) -> dict[str, object]:
    """Known settings with sensible values; raises BadInput naming the first that is not."""
    unknown = sorted(set(fields) - set(SETTINGS))
    if unknown:
        raise BadInput(
            f"Unknown setting “{unknown[0]}”. Known: {', '.join(SETTINGS)}.", code="unknown_setting"
        )
    checked = dict(fields)
    if "name" in checked:
        checked["name"] = str(checked["name"]).strip()
        if not checked["name"] or len(str(checked["name"])) > 200:
            raise BadInput("A project needs a name of 1 to 200 characters.", code="bad_name")
    _check_range(checked, "holdout_percent", 0, 50)
    _check_range(checked, "reviews_per_image", 1, 20)
    language = checked.get("caption_language", "en")
    if language not in caption_languages.CODES:
        raise BadInput(
            f"`caption_language` is a code such as en, de, fr or zh, or xx for several; “{language}” is none.",
            code="bad_caption_language",
        )
    if checked.get("unmarked", "no") not in Project.Unmarked.values:
        raise BadInput("`unmarked` is “no” or “unknown”.", code="bad_unmarked")
    return checked


def _check_range(fields: Mapping[str, object], name: str, least: int, most: int) -> None:
    value = fields.get(name)
    if value is not None and not (isinstance(value, int) and least <= value <= most):
        raise BadInput(f"`{name}` is a whole number from {least} to {most}, not {value}.", code=f"bad_{name}")
