"""The active order of the queue: which images are asked about first, with the reason that people read.

The strategies and their mixture are `core.sampling`; here are the rows that they need. Each batch is ordered by itself:
a strategy wants the same part of every batch, so that the orders of many batches make one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs
from annotations.types import QueueRank
from mlmodels import selectors
from mlmodels.services import inputs
from mlmodels.services.asking import FIELDS
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language

if TYPE_CHECKING:
    from mlmodels.core.learning.fusion import Scores
    from mlmodels.core.sampling.mixture import Shares

# What is near to these has been seen; more of them cost time and change little.
REVIEWED_REMEMBERED = 300


@dataclass(frozen=True, eq=False)
class Question:
    """What the order of all batches of one scoring follows from."""

    shares: "Shares"
    waiting: int
    salt: str
    yes: NDArray[np.int64]  # [K]
    reviewed: NDArray[np.float32]  # [R, D]


def question(project_id: int, scorer: Scorer, language: Language, vocabulary_version: int) -> Question:
    """Read once what does not change from batch to batch. Five queries at most."""
    from mlmodels.core.sampling.mixture import Shares

    policy = selectors.asking_policy(project_id)
    percent = {field: getattr(policy, field) if scorer.calibrated else 0 for field in FIELDS}
    version = scorer.version
    figures: dict[str, Any] = version.tag_metrics if version else {}
    known = [figures.get(str(tag_id), {}).get("support") or 0 for tag_id in language.tag_ids]
    reviewed = np.zeros((0, 0), dtype=np.float32)
    if percent["diverse"] and scorer.extractor:
        newest = model_inputs.newest_reviewed(project_id, REVIEWED_REMEMBERED)
        reviewed = inputs.stored_vision(newest, scorer.extractor)
    return Question(
        shares=Shares(**{field: share / 100 for field, share in percent.items()}),
        waiting=model_inputs.waiting_count(project_id),
        # With what is known or wanted chance is drawn anew; with the same, the order stays as it was.
        salt=f"{project_id}:{scorer.number}:{vocabulary_version}:{sorted(percent.items())}",
        yes=np.array(known, dtype=np.int64),
        reviewed=reviewed,
    )


def ranks(
    asked: Question, batch: Batch, scores: "Scores", rows: Sequence[int], scorer: Scorer, language: Language
) -> list[QueueRank]:
    """Ranks of the images at `rows` of the batch."""
    from mlmodels.core.sampling import mixture
    from mlmodels.core.sampling.candidates import Candidates

    ids = [batch.image_ids[row] for row in rows]
    chosen = np.asarray(rows, dtype=np.intp)
    candidates = Candidates(
        image_ids=np.array(ids, dtype=np.int64),
        tags=tuple(term.name for term in language.terms),
        probability=scores.probability[chosen],
        vision=scores.vision[chosen],
        caption=scores.caption[chosen],
        thresholds=scorer.thresholds,
        features=batch.inputs.vision[chosen],
        has_vision=batch.inputs.has_vision[chosen],
        has_caption=batch.inputs.has_caption[chosen],
        yes=asked.yes,
        reviewed=asked.reviewed,
    )
    order = mixture.order(candidates, asked.shares, waiting=asked.waiting, salt=asked.salt)
    return [
        QueueRank(image_id, rank, reason, appeal, component)
        for image_id, rank, reason, appeal, component in zip(
            ids, order.waits.tolist(), order.reasons, order.rates.tolist(), order.components, strict=True
        )
    ]
