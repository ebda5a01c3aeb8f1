"""What the scores that a version was judged by say in detail: curves, histograms, pairs of tags, the worst errors.

Reads the file beside the version with numpy alone, so that web processes can; draws nothing and knows no pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlmodels.models import ModelVersion
from mlmodels.services import curves, heads

HISTOGRAM_STEPS = 10
# Pairs are looked for among the most frequent tags: their number grows with the square.
PAIRED_TAGS = 200


@dataclass(frozen=True, eq=False)
class Judged:
    """The judged images [N] and tags [K]; `truth` [N, K] is 1 yes, 0 no, -1 unknown; scores lie in [0, 1].

    `weights` [N] are inverse draw probabilities.
    """

    image_ids: NDArray[np.int64]
    tag_ids: NDArray[np.int64]
    truth: NDArray[np.int8]
    scores: NDArray[np.floating]
    thresholds: NDArray[np.floating]
    weights: NDArray[np.floating]

    @property
    def passed(self) -> NDArray[np.bool_]:
        """What the model would offer, [N, K]."""
        return self.scores >= self.thresholds

    def of_tag(self, tag_id: int) -> "Judged":
        """The same images and this tag alone; of no tag where it was not judged."""
        column = np.flatnonzero(self.tag_ids == tag_id)
        return Judged(
            self.image_ids,
            self.tag_ids[column],
            self.truth[:, column],
            self.scores[:, column],
            self.thresholds[column],
            self.weights,
        )


@dataclass(frozen=True)
class Step:
    """How many yes and no have a score from `low` to `high`."""

    low: float
    high: float
    yes: int
    no: int


@dataclass(frozen=True)
class Pair:
    """On how many images people said yes to both tags, and on how many of the same images the model would."""

    tag_ids: tuple[int, int]
    said: int
    predicted: int


@dataclass(frozen=True)
class Error:
    """A no that would have been offered, or a yes that would not."""

    image_id: int
    tag_id: int
    score: float


def read(version: ModelVersion) -> Judged | None:
    """None where no scores were stored with the version, or its file cannot be read."""
    from mlmodels.core.errors import ArtifactError

    try:
        return _read(heads.artifact_folder(version), version.artifact_sha256)
    except ArtifactError:
        return None


@lru_cache(maxsize=2)
def _read(folder: Path, sha256: str) -> Judged:
    from mlmodels.core import artifacts

    stored = artifacts.load_judged(folder, sha256)
    return Judged(
        image_ids=stored["image_ids"],
        tag_ids=stored["tag_ids"],
        truth=stored["truth"],
        scores=stored["candidate.scores"],
        thresholds=stored["candidate.thresholds"],
        weights=stored["weights"],
    )


def draw_curves(judged: Judged) -> dict[str, list[dict[str, Any]]]:
    """{calibration, precision_recall} over all its pairs, as a version's row has them."""
    return curves.draw(judged.truth, judged.scores, judged.weights)


def histogram(judged: Judged) -> list[Step]:
    """Scores of yes and of no in equal steps; empty where nothing was judged."""
    edges = np.linspace(0.0, 1.0, HISTOGRAM_STEPS + 1)
    yes, no = (np.histogram(judged.scores[judged.truth == value], edges)[0] for value in (1, 0))
    if not yes.sum() + no.sum():
        return []
    return [
        Step(round(float(low), 3), round(float(high), 3), int(ones), int(zeros))
        for low, high, ones, zeros in zip(edges[:-1], edges[1:], yes, no, strict=True)
    ]


def pairs(judged: Judged, limit: int) -> list[Pair]:
    """The pairs of tags that come together most, by people or by the model; only what people answered counts."""
    frequent = np.argsort(-(judged.truth == 1).sum(axis=0), kind="stable")[:PAIRED_TAGS]
    truth, tag_ids = judged.truth[:, frequent], judged.tag_ids[frequent]
    said = (truth == 1).astype(np.float32)
    predicted = (judged.passed[:, frequent] & (truth >= 0)).astype(np.float32)
    # A tag's own column with another's: [K, K], of which the upper half is each pair once.
    both_said = np.triu(said.T @ said, k=1)
    both_predicted = np.triu(predicted.T @ predicted, k=1)
    together = np.maximum(both_said, both_predicted)
    rows, columns = np.nonzero(together)
    order = np.lexsort((columns, rows, -together[rows, columns]))[:limit]
    return [
        Pair(
            (int(tag_ids[one]), int(tag_ids[other])),
            int(both_said[one, other]),
            int(both_predicted[one, other]),
        )
        for one, other in zip(rows[order], columns[order], strict=True)
    ]


def highest_no(judged: Judged, limit: int) -> list[Error]:
    """What people refused and the model would offer, the highest score first."""
    return _worst(judged, (judged.truth == 0) & judged.passed, -judged.scores, limit)


def lowest_yes(judged: Judged, limit: int) -> list[Error]:
    """What people said and the model would not offer, the lowest score first."""
    return _worst(judged, (judged.truth == 1) & ~judged.passed, judged.scores, limit)


def _worst(judged: Judged, among: NDArray[np.bool_], cost: NDArray[np.floating], limit: int) -> list[Error]:
    rows, columns = np.nonzero(among)
    order = np.argsort(cost[rows, columns], kind="stable")[:limit]
    return [
        Error(int(judged.image_ids[n]), int(judged.tag_ids[k]), round(float(judged.scores[n, k]), 4))
        for n, k in zip(rows[order], columns[order], strict=True)
    ]


def image_ids(*lists: Sequence[Error]) -> list[int]:
    return sorted({error.image_id for errors in lists for error in errors})
