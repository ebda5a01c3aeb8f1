"""Listens to what happens to people's data and nudges the model's side; a lost nudge is healed by a sweep."""

from collections.abc import Sequence
from typing import Any

from annotations import signals
from annotations.selectors import neighbours


def connect() -> None:
    neighbours.answer_with(nearest_images)
    neighbours.measure_with(looked_to, distances_of)
    signals.images_changed.connect(on_images_changed, dispatch_uid="mlmodels.images_changed")
    signals.reviews_changed.connect(on_reviews_changed, dispatch_uid="mlmodels.reviews_changed")
    signals.vocabulary_changed.connect(on_vocabulary_changed, dispatch_uid="mlmodels.vocabulary_changed")
    signals.extractor_chosen.connect(on_extractor_chosen, dispatch_uid="mlmodels.extractor_chosen")
    signals.extractor_changed.connect(on_extractor_changed, dispatch_uid="mlmodels.extractor_changed")


def nearest_images(project_id: int, image_id: int, limit: int) -> list[int]:
    from mlmodels.services import similar

    return similar.nearest_ids(project_id, image_id, limit)


def looked_to(project_id: int, after_id: int) -> int:
    from mlmodels.services import pair_distances

    return pair_distances.looked_to(project_id, after_id)


def distances_of(project_id: int, pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    from mlmodels.services import pair_distances

    return pair_distances.distances(project_id, pairs)


def on_images_changed(*, project_id: int, image_ids: Sequence[int], **_: Any) -> None:
    from mlmodels import tasks

    tasks.nudge(tasks.images_changed, project_id, list(image_ids))


def on_reviews_changed(*, project_id: int, **_: Any) -> None:
    from mlmodels import tasks

    tasks.nudge_policy(project_id)


def on_vocabulary_changed(*, project_id: int, **_: Any) -> None:
    from mlmodels import tasks

    tasks.nudge_vocabulary(project_id)


def on_extractor_chosen(*, name: str, project_id: int | None, **_: Any) -> None:
    from mlmodels.services import backbone_names, tuned_backbones

    if tuned_backbones.belongs_to(name, project_id):
        tuned_backbones.refuse_without_weights(name)
    else:
        backbone_names.refuse_unknown(name)


def on_extractor_changed(*, project_id: int, **_: Any) -> None:
    from mlmodels import tasks

    tasks.nudge(tasks.extractor_asked, project_id)
