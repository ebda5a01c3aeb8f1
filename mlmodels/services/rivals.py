"""What a candidate is compared with, as scores on the judged images: what serves now, and the best lately.

A version is scored on the features that it reads, whatever extractor the candidate reads; images that it was trained
on count with its out-of-fold scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.models import Extractor, ModelVersion
from mlmodels.services import heads, inputs
from mlmodels.services.evidence import Answered, Evidence
from mlmodels.services.inputs import Batch

if TYPE_CHECKING:
    from mlmodels.core.learning.heads import Head

BEST_LATELY_DAYS = 30
BEST_LATELY_TRIED = 5


@dataclass(frozen=True, eq=False)
class Rival:
    """An incumbent's scores [N, K] on the judged images, with its thresholds [K]; number 0 is the prior."""

    number: int
    scores: NDArray[np.floating]
    thresholds: NDArray[np.floating]


def of_project(project_id: int, evidence: Evidence, judged: Answered) -> list[Rival]:
    """What serves, and the best of the last 30 days beside it: else small losses would add up."""
    serving = _serving(project_id, evidence, judged)
    lately = [
        rival
        for version in _promising(project_id)
        if version.number != serving.number and (rival := _rival(version, evidence, judged)) is not None
    ]
    best = max(lately, key=lambda rival: _macro(judged.truth, rival.scores), default=None)
    return [serving] if best is None else [serving, best]


def _serving(project_id: int, evidence: Evidence, judged: Answered) -> Rival:
    """The live version; if its file is unreadable, the one that serves instead, the prior at last."""
    version = heads.serving(project_id).version
    rival = None if version is None else _rival(version, evidence, judged)
    return rival or _prior(judged)


def _promising(project_id: int) -> list[ModelVersion]:
    """Of the versions that were live lately those that are surest to be good; the others are not worth a look.

    A version judged by a handful of images may have any average precision: the lower bound says how sure it is.
    """

    def sure(version: ModelVersion) -> float:
        lower = (version.metrics.get("macro_average_precision_interval") or [None])[0]
        return -1.0 if lower is None else float(lower)

    lately = selectors.went_live_lately(project_id, BEST_LATELY_DAYS)
    return sorted(lately, key=sure, reverse=True)[:BEST_LATELY_TRIED]


def _rival(version: ModelVersion, evidence: Evidence, judged: Answered) -> Rival | None:
    """A version's scores on the judged images; None if its file cannot be read or its features are gone."""
    from mlmodels.core.errors import ArtifactError

    try:
        head = heads.for_tags(version, evidence.language.tag_ids)
        stored = heads.load_out_of_fold(version)
    except ArtifactError:
        return None
    batch = _batch_for(version.project_id, version.extractor, evidence, judged)
    if batch is None:
        return None
    scores = np.array(head.score(batch.inputs).probability)
    tag_ids = evidence.language.tag_ids
    stored = stored.of_tags(tag_ids, model_inputs.kinship(version.project_id).survivors)
    _replace_with_out_of_fold(scores, stored, judged, tag_ids)
    return Rival(version.number, scores, head.thresholds)


def of_head(
    project_id: int, head: "Head", before: Evidence, evidence: Evidence, judged: Answered
) -> Rival | None:
    """What a head that was fitted on `before` says of the judged images, which `evidence` has by another extractor.

    None if the vocabulary changed between the two readings, or a judged image is gone.
    """
    if before.language.tag_ids != evidence.language.tag_ids:
        return None
    batch = _batch_for(project_id, before.extractor, evidence, judged)
    return None if batch is None else Rival(0, head.score(batch.inputs).probability, head.thresholds)


def _batch_for(project_id: int, extractor: Extractor, evidence: Evidence, judged: Answered) -> Batch | None:
    """The judged images as this extractor sees them; None if one of them is gone meanwhile."""
    if extractor.pk == evidence.extractor.pk:
        return judged.batch
    images = model_inputs.images(project_id, list(judged.batch.image_ids))
    batch = inputs.build(images, extractor, evidence.language)
    return batch if batch.image_ids == judged.batch.image_ids else None


def _replace_with_out_of_fold(
    scores: NDArray[np.floating], stored: "heads.OutOfFold", judged: Answered, tag_ids: Sequence[int]
) -> None:
    """Images that the version was trained on count with its out-of-fold scores: else it looks too good."""
    row = {int(image_id): n for n, image_id in enumerate(stored.image_ids)}
    to = {tag_id: k for k, tag_id in enumerate(tag_ids)}
    columns = [to[tag_id] for tag_id in stored.tag_ids.tolist()]
    for n, image_id in enumerate(judged.batch.image_ids):
        if image_id in row:
            scores[n, columns] = stored.scores[row[image_id]]


def _prior(judged: Answered) -> Rival:
    from mlmodels.core.learning.fusion import prior_scores

    scores = prior_scores(judged.batch.inputs).probability
    return Rival(0, scores, np.full(scores.shape[1], heads.PRIOR_THRESHOLD))


def _macro(truth: NDArray[np.int8], scores: NDArray[np.floating]) -> float:
    from mlmodels.core.evaluation.ranking import macro_average_precision

    value = macro_average_precision(truth, scores)
    return value if np.isfinite(value) else -1.0
