"""Extractors: the network itself, loaded once in a worker, and which one a project asks for and reads.

A project *asks* for one by name in its settings. Its suggestions *read* the live version's, or, before any
version, the one that has looked at its images. While the two differ, new images are looked at by both.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.models import Extractor, ProjectExtractor
from mlmodels.services import tuned_backbones

if TYPE_CHECKING:
    from mlmodels.core.vision.backbones import Backbone
    from mlmodels.core.vision.extractor import Extractor as VisionExtractor

logger = logging.getLogger(__name__)

# A missing file may be put in place, a hub may answer again: it is tried again after so long.
TRY_AGAIN_AFTER = timedelta(seconds=60)
_PROBLEM_CHARS = 1_000


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network and the row that its features are stored under."""

    row: Extractor
    network: "VisionExtractor"


@lru_cache(maxsize=2)
def load(name: str) -> "VisionExtractor":
    """The network, ready to embed. Only workers that need pixels call this: it loads torch."""
    from mlmodels.core.vision import tuned
    from mlmodels.core.vision.extractor import load_extractor

    run_id = tuned_backbones.run_of(name)
    if run_id is not None:
        return tuned.load(tuned_backbones.folder_of_run(run_id), engine=settings.VISION_ENGINE)
    return load_extractor(name, weights_dir=_weights_dir(), engine=settings.VISION_ENGINE)


def load_backbone(name: str) -> "Backbone":
    """The same network as a torch module, to be tuned further or written down. Not kept: one job needs it."""
    from mlmodels.core.vision import tuned
    from mlmodels.core.vision.backbones import load_backbone

    run_id = tuned_backbones.run_of(name)
    if run_id is None:
        return load_backbone(name, weights_dir=_weights_dir())
    base, file = tuned.weights_file(tuned_backbones.folder_of_run(run_id))
    return load_backbone(base, weights_file=file, allow_hub=False)


def _weights_dir() -> Path | None:
    return Path(settings.WEIGHTS_DIR) if settings.WEIGHTS_DIR else None


def loaded_row(name: str) -> Extractor:
    """The row of the network as it loads here; another file of weights is another extractor."""
    extractor = load(name)
    row, _ = Extractor.objects.get_or_create(
        key=extractor.key, defaults={"name": name, "dimensions": extractor.dimensions}
    )
    # The same answers give the same weights: what was removed under the name of an earlier run is back under this one.
    if not tuned_backbones.has_weights(row.name):
        row.name = name
        row.save(update_fields=["name"])
    return row


@transaction.atomic
def follow(project_id: int) -> ProjectExtractor | None:
    """The project's row, brought up to what its settings ask for now; None if the project is gone."""
    project = model_inputs.project(project_id)
    if project is None:
        return None
    ProjectExtractor.objects.get_or_create(
        project_id=project_id,
        defaults={
            "name": project.extractor,
            "asked_at": timezone.now(),
            "serving": selectors.extractor_of_features(project_id),
        },
    )
    state = ProjectExtractor.objects.select_for_update().get(project_id=project_id)
    if state.name != project.extractor:
        state.serving = selectors.read_extractor(project_id)
        state.name, state.asked_at = project.extractor, timezone.now()
        state.extractor, state.complete_at, state.problem, state.tried_at = None, None, "", None
        state.save()
    return state


def asked(project_id: int) -> Loaded | None:
    """Load what the settings ask for; None, with the reason in the project's row, if it does not load here."""
    from mlmodels.core.errors import CoreError

    state = follow(project_id)
    if state is None or not wants_another_try(state):
        return None
    try:
        row = loaded_row(state.name)
    except CoreError as error:
        logger.error("project %s: extractor %s does not load: %s", project_id, state.name, error)
        _note(state, problem=str(error)[:_PROBLEM_CHARS], tried_at=timezone.now())
        return None
    if state.extractor_id != row.pk:
        replaced = state.extractor_id is not None  # the same name with another file of weights
        asked_at = timezone.now() if replaced else state.asked_at
        _note(state, extractor_id=row.pk, complete_at=None, asked_at=asked_at)
    if state.problem:
        _note(state, problem="")
    return Loaded(row, load(state.name))


def read_now(project_id: int) -> Loaded | None:
    """Load what suggestions read; None if it does not load here, or not with the weights that were read."""
    from mlmodels.core.errors import CoreError

    state = follow(project_id)
    if state is None:
        return None
    row = selectors.read_extractor(project_id)
    if row is None:
        loaded = asked(project_id)
        if loaded is not None:
            _note(state, serving_id=loaded.row.pk)
        return loaded
    try:
        network, problem = load(row.name), ""
        if network.key != row.key:
            problem = f"Expected the weights of {row.key}, got those of {network.key}; put the file back."
    except CoreError as error:
        problem = str(error)[:_PROBLEM_CHARS]
    if problem != state.serving_problem:
        _note(state, serving_problem=problem)
    if problem:
        logger.error("project %s: suggestions read an extractor that does not load: %s", project_id, problem)
        if row.name == state.name:  # what that name stands for now is another extractor, which begins anew
            asked(project_id)
        return None
    return Loaded(row, network)


def complete(project_id: int, row: Extractor) -> bool:
    """Note that this extractor has looked at every image; True if suggestions read it from now on.

    They do where no version is live. A live version keeps its own until one of the new extractor goes live.
    """
    with transaction.atomic():
        state = ProjectExtractor.objects.select_for_update().filter(project_id=project_id).first()
        if state is None or state.extractor_id != row.pk or state.complete_at is not None:
            return False
        has_version = model_inputs.live(project_id).version_id is not None
        changes_over = not has_version and state.serving_id != row.pk
        _note(state, complete_at=timezone.now(), serving_id=state.serving_id if has_version else row.pk)
    return changes_over


def wants_another_try(state: ProjectExtractor | None) -> bool:
    """Whether an extractor that did not load may be tried again now."""
    if state is None or not state.problem or state.tried_at is None:
        return True
    return timezone.now() - state.tried_at > TRY_AGAIN_AFTER


def _note(state: ProjectExtractor, **changes: object) -> None:
    for field, value in changes.items():
        setattr(state, field, value)
    state.save(update_fields=[field.removesuffix("_id") for field in changes])
