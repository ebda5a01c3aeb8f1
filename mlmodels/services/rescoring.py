"""Keeps stored suggestions up to what is live: after a promotion, a new tag, a changed word. In resumable chunks."""

from dataclasses import dataclass

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.models import ModelVersion
from mlmodels.services import heads, languages, scoring

WALK_IMAGES = 4 * scoring.CHUNK_IMAGES
"""A second's work: so long that one chunk is read while another is stored, so short that others come in between."""


@dataclass(frozen=True)
class Walked:
    """How many images one step scored, and the id to go on after; None at the end."""

    scored: int
    resume_after: int | None


def next_of_queue(project_id: int) -> int:
    """What people are asked about next, with whatever is live."""
    next_ids = model_inputs.next_of_queue(project_id, scoring.NEXT_OF_QUEUE)
    return scoring.refresh(project_id, next_ids, anew=True)


def before_promotion(version: ModelVersion) -> int:
    """Store what a version that is not live yet says of the images that are asked about next."""
    language = languages.of_project(version.project_id)
    scorer = heads.of_version(version, language)
    next_ids = model_inputs.next_of_queue(version.project_id, scoring.NEXT_OF_QUEUE)
    return scoring.refresh(version.project_id, next_ids, scorer=scorer, anew=True)


def walk(project_id: int, *, after_id: int = 0, everything: bool = False) -> Walked:
    """Score the next images by id: those whose suggestions are stale, or `everything`."""
    project = model_inputs.project(project_id)
    if project is None:
        return Walked(0, None)
    if everything:
        images = model_inputs.image_rows(project_id).filter(pk__gt=after_id).order_by("pk")
        ids = list(images.values_list("pk", flat=True)[:WALK_IMAGES])
    else:
        ids = model_inputs.stale(
            project_id,
            model_number=model_inputs.live(project_id).number,
            vocabulary_version=project.vocabulary_version,
            after_id=after_id,
            limit=WALK_IMAGES,
        )
    ready = _ready(project_id, ids)
    scoring.refresh(project_id, ready, anew=True)
    return Walked(len(ready), ids[-1] if len(ids) == WALK_IMAGES else None)


def refresh(project_id: int, image_ids: list[int]) -> int:
    """Score those of these images that an extractor has looked at; the others follow with their features."""
    return scoring.refresh(project_id, _ready(project_id, image_ids))


def has_stale(project_id: int) -> bool:
    """Whether a walk would find anything to do."""
    project = model_inputs.project(project_id)
    if project is None:
        return False
    first = model_inputs.stale(
        project_id,
        model_number=model_inputs.live(project_id).number,
        vocabulary_version=project.vocabulary_version,
        after_id=0,
        limit=scoring.CHUNK_IMAGES,
    )
    return bool(_ready(project_id, first))


def _ready(project_id: int, image_ids: list[int]) -> list[int]:
    """Images that are not about to be scored anyway, once their features are there.

    Where the extractor that suggestions read does not load, nothing is about to come: captions alone speak.
    """
    state = selectors.project_extractor(project_id)
    extractor = selectors.read_extractor(project_id)
    if state is not None and (state.serving_problem or (extractor is None and state.problem)):
        return image_ids
    looked = selectors.looked_at(extractor.pk, image_ids) if extractor else set()
    return [image_id for image_id in image_ids if image_id in looked]
