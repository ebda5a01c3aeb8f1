"""What happened to people's data, told after commit to whoever listens (`mlmodels` does)."""

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal

images_changed = Signal()  # project_id, image_ids: added, or the caption changed
reviews_changed = Signal()  # project_id: a review or decision was stored or undone
vocabulary_changed = (
    Signal()
)  # project_id: a tag was created, changed, retired, revived, merged, split or deleted

extractor_chosen = (
    Signal()
)  # name, project_id (None while it is made): before it is stored; a listener refuses it by raising BadInput
extractor_changed = Signal()  # project_id: its settings name another extractor


def send_on_commit(signal: Signal, *, project_id: int, image_ids: Iterable[int] | None = None) -> None:
    """Send once the surrounding transaction has committed; a failing listener never undoes a person's work."""
    details = {} if image_ids is None else {"image_ids": list(image_ids)}
    transaction.on_commit(
        lambda: signal.send_robust(sender=None, project_id=project_id, **details), robust=True
    )
