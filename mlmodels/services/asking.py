"""What the queue is to ask: a project's shares of the mixture, and a change of them."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from annotations.errors import BadInput
from annotations.services import audit
from mlmodels.models import AskingPolicy

# As the page, the API and the reasons of items call the strategies.
FIELDS = ("uncertain", "diverse", "rare", "disagreement")


@transaction.atomic
def update(project_id: int, changes: Mapping[str, Any], *, actor_id: int | None) -> AskingPolicy:
    """Change shares, in percent; raises BadInput naming each field that is not acceptable."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        raise BadInput(
            f"Unknown: {', '.join(unknown)}. The shares are {', '.join(FIELDS)}; the rest is random.",
            code="unknown_field",
        )
    AskingPolicy.objects.get_or_create(project_id=project_id)
    policy = AskingPolicy.objects.select_for_update().get(project_id=project_id)
    for field, value in changes.items():
        setattr(policy, field, value)
    try:
        policy.full_clean(exclude=["project"])
    except ValidationError as error:
        fields = {field: " ".join(messages) for field, messages in error.message_dict.items()}
        message = fields.pop(NON_FIELD_ERRORS, "The shares were not changed.")
        raise BadInput(message, code="bad_shares", **fields) from error
    policy.save()
    audit.record(project_id, "policy.asking", actor_id=actor_id, **changes)
    return policy
