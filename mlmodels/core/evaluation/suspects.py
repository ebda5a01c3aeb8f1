"""Answers that are likely wrong or missing, found from scores of images that the fit behind them had not seen.

Confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 70), each tag on its own. Who said what, and what was checked before, is the caller's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.ranking import Floats

MOST_OF_A_KIND = 1000
"""More than this nobody looks through before the next version ranks anew."""

ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Ranked:
    """S suspects of one kind, the likeliest mistake first.

    Attributes:
        rows: int [S], images.
        columns: int [S], tags.
        scores: float32 [S], what the model says of the tag.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of suspects."""
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Suspects:
    """Answers that the model strongly doubts: yes that are likely wrong, no where a yes is likely missing."""

    wrong: Ranked
    missing: Ranked


def self_confidence(
    truth: NDArray[np.int8], scores: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How sure the model is of yes that are yes, and of no that are no: float64 [K] each, NaN where there is none.

    These are the thresholds of confident learning: a tag that the model finds hard is doubted less.

    >>> truth = np.array([[1], [1], [0], [-1]], dtype=np.int8)
    >>> [round(float(mean[0]), 2) for mean in self_confidence(truth, np.array([[0.9], [0.5], [0.2], [1.0]]))]
    [0.7, 0.8]
    """
    sure_of_yes = _mean(scores, truth == 1)
    return sure_of_yes, 1 - _mean(scores, truth == 0)


def find(truth: NDArray[np.int8], scores: Floats, *, most: int = MOST_OF_A_KIND) -> Suspects:
    """The answers that the scores contradict with confidence, at most `most` of each kind.

    A yes is suspected where 1 - score reaches what the model usually says of a no of that tag, and the score does
    not reach what it usually says of a yes; a no the other way round; where both are reached, the larger of score
    and 1 - score decides. This departs from the paper in the order alone: its self-confidence, without a
    normalisation by tag, since scores are calibrated and comparable between tags.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown; an unknown pair is never suspected.
        scores: [N, K], calibrated, out of fold.
        most: of each kind.

    Raises:
        TrainingDataError: if the shapes differ.

    >>> truth = np.array([[1], [1], [1], [0], [0], [0]], dtype=np.int8)
    >>> scores = np.array([[0.9], [0.8], [0.01], [0.1], [0.05], [0.95]])
    >>> found = find(truth, scores)
    >>> found.wrong.rows.tolist(), found.missing.rows.tolist()
    ([2], [5])
    """
    if truth.shape != scores.shape:
        raise TrainingDataError("scores", f"expected shape {truth.shape}, got {scores.shape}")
    sure_of_yes, sure_of_no = self_confidence(truth, scores)
    wrong, missing = _empty(), _empty()
    for start in range(0, len(truth), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        contradicts = _contradicted(truth[rows], scores[rows], sure_of_yes, sure_of_no)
        wrong = _best(wrong, _picked(contradicts & (truth[rows] == 1), scores[rows], start), most, sign=1)
        missing = _best(
            missing, _picked(contradicts & (truth[rows] == 0), scores[rows], start), most, sign=-1
        )
    return Suspects(wrong, missing)


def _contradicted(
    truth: NDArray[np.int8],
    scores: Floats,
    sure_of_yes: NDArray[np.float64],
    sure_of_no: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Known pairs of which the model is confident that the other answer is right, bool [N, K]."""
    with np.errstate(invalid="ignore"):  # a tag without yes or without no reaches nothing
        like_yes, like_no = scores >= sure_of_yes, 1 - scores >= sure_of_no
    says_yes = like_yes & (~like_no | (scores > 0.5))
    says_no = like_no & (~like_yes | (scores < 0.5))
    return np.asarray(((truth == 1) & says_no) | ((truth == 0) & says_yes))


def _picked(mask: NDArray[np.bool_], scores: Floats, first_row: int) -> Ranked:
    rows, columns = np.nonzero(mask)
    return Ranked(rows + first_row, columns, scores[rows, columns].astype(np.float32))


def _best(one: Ranked, other: Ranked, most: int, *, sign: int) -> Ranked:
    """The first `most` of both by score, ascending for sign 1; equal scores keep their order."""
    rows, columns, scores = (
        np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("rows", "columns", "scores")
    )
    order = np.argsort(sign * scores, kind="stable")[:most]
    return Ranked(rows[order], columns[order], scores[order])


def _mean(scores: Floats, among: NDArray[np.bool_]) -> NDArray[np.float64]:
    number = among.sum(axis=0)
    total = np.where(among, scores, 0).sum(axis=0, dtype=np.float64)
    return np.divide(total, number, out=np.full(scores.shape[1], np.nan), where=number > 0)


def _empty() -> Ranked:
    none = np.empty(0, dtype=np.intp)
    return Ranked(none, none, np.empty(0, dtype=np.float32))
