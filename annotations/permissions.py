"""The permission table: the least role for each thing that can be done in a project."""

from annotations.models import Role

REQUIRED_ROLE: dict[str, Role] = {
    "see_project": Role.ANNOTATOR,
    "review": Role.ANNOTATOR,
    "undo_own_review": Role.ANNOTATOR,
    "see_tags": Role.ANNOTATOR,
    "predict": Role.ANNOTATOR,
    "see_own_figures": Role.ANNOTATOR,
    "raise_flags": Role.ANNOTATOR,
    "see_images": Role.ANNOTATOR,
    "undo_any_review": Role.REVIEWER,
    "see_gallery": Role.REVIEWER,
    "verify": Role.REVIEWER,
    "see_history": Role.REVIEWER,
    "see_unsure": Role.REVIEWER,
    "see_suspects": Role.REVIEWER,
    "see_disagreements": Role.REVIEWER,
    "see_all_flags": Role.REVIEWER,
    "resolve_flags": Role.REVIEWER,
    "import": Role.MANAGER,
    "export": Role.MANAGER,
    "edit_images": Role.MANAGER,
    "edit_tags": Role.MANAGER,
    "see_proposals": Role.MANAGER,
    "edit_project": Role.MANAGER,
    "edit_members": Role.MANAGER,
    "see_audit": Role.MANAGER,
    "see_quality": Role.MANAGER,
    "see_models": Role.MANAGER,
    "see_original": Role.MANAGER,
    "train": Role.ADMIN,
    "edit_policy": Role.ADMIN,
    "activate_model": Role.ADMIN,
    "export_model": Role.ADMIN,
    "choose_extractor": Role.ADMIN,
    "delete_project": Role.ADMIN,
    "appoint_admin": Role.ADMIN,
}


def required_role(action: str) -> Role:
    return REQUIRED_ROLE[action]


def roles_that_may(action: str) -> list[str]:
    return [role.value for role in Role if role.rank >= required_role(action).rank]


def allows(role: str, action: str) -> bool:
    return Role(role).rank >= required_role(action).rank
