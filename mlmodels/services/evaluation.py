"""Measures what is live on the holdout as it is now; figures of a version at its judging stand in its row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlmodels import selectors
from mlmodels.errors import NotTrainable
from mlmodels.services import evidence as evidence_service
from mlmodels.services import heads, judging


@dataclass(frozen=True)
class Evaluated:
    """Figures of version `number` (0: the prior) on `images` reviewed holdout images, and their intervals."""

    number: int
    images: int
    figures: dict[str, Any]


def of_live(project_id: int) -> Evaluated:
    """Raises NotTrainable where no feature has been computed yet."""
    extractor = selectors.read_extractor(project_id)
    if extractor is None:
        raise NotTrainable("No image has been looked at yet: wait until the first features are computed.")
    holdout = evidence_service.read(project_id, extractor)
    scorer = heads.scorer_for(project_id, holdout.language)
    judged = holdout.holdout
    if not len(judged):
        return Evaluated(scorer.number, 0, {})
    scores = scorer.score(judged.batch.inputs).probability
    measured = judging.measure(judged, scores, np.asarray(scorer.thresholds), seed=0)
    return Evaluated(scorer.number, len(judged), measured.overall)
