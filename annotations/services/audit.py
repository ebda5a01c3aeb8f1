"""Who did what: the one door through which everything writes to the project's audit trail."""

from typing import Any

from annotations.models import AuditEvent


def record(project_id: int, action: str, *, actor_id: int | None, **details: Any) -> None:
    """Append an event; call inside the transaction of the change that it tells of."""
    AuditEvent.objects.create(project_id=project_id, actor_id=actor_id, action=action, details=details)
