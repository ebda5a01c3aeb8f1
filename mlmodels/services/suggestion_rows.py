"""From scores to the rows that are stored: the best tags of each image and what speaks for them.

Whole columns at a time, with text that is looked up and cut: an object for each tag would cost most.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import arrays
from annotations.services.suggestions import packed
from annotations.types import SuggestionRow
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language
from mlmodels.services.mentions import Mentions

if TYPE_CHECKING:
    from mlmodels.core.learning.fusion import Scores

SUGGESTIONS_PER_IMAGE = 20
_STEPS = 10_000
"""Scores are stored with four digits."""
_SCORE_CELLS = np.array([f",{step / _STEPS:.4f}" for step in range(_STEPS + 1)], dtype=np.bytes_)

Floats = NDArray[np.floating[Any]]


def suggestion_rows(
    batch: Batch,
    scores: "Scores",
    scorer: Scorer,
    language: Language,
    rejected: Mapping[int, set[int]],
    vocabulary_version: int,
) -> Iterator[SuggestionRow]:
    """One row an image: the best tags but those that people rejected there, and mentions that are negated."""
    column = {tag_id: k for k, tag_id in enumerate(language.tag_ids)}
    best, counts = _chosen(batch, scores.probability, column, rejected)
    said = _said(batch, scores.caption, column, best, counts)
    probability = np.take_along_axis(scores.probability, best, axis=1)
    offers = (probability >= scorer.thresholds[best]) & _counted(best, counts)
    offered: list[list[int]] = [[] for _ in counts]
    for n, k in zip(np.nonzero(offers)[0].tolist(), best[offers].tolist(), strict=True):
        offered[n].append(language.tag_ids[k])
    ids = _lists(_id_cells(language.tag_ids)[best], counts)
    values = _lists(_SCORE_CELLS[_steps(probability)], counts)
    seen = _lists(_SCORE_CELLS[_steps(np.take_along_axis(scores.vision, best, axis=1))], counts)
    has_vision = batch.inputs.has_vision.tolist()
    for n, image_id in enumerate(batch.image_ids):
        yield SuggestionRow(
            image_id=image_id,
            tag_ids=f"{{{ids[n]}}}",
            scores=f"{{{values[n]}}}",
            offered_ids=arrays.literal(offered[n]),
            sources=packed(counts[n], seen[n] if has_vision[n] else "", said.get(n)),
            calibrated=scorer.calibrated,
            model_version_id=scorer.version_id,
            model_number=scorer.number,
            vocabulary_version=vocabulary_version,
        )


def _chosen(
    batch: Batch, probability: Floats, column: Mapping[int, int], rejected: Mapping[int, set[int]]
) -> tuple[NDArray[np.intp], list[int]]:
    """Columns of the tags to suggest, [N, at most 20], best first, and how many of them count in each row."""
    best = highest(probability, SUGGESTIONS_PER_IMAGE)
    counts = [best.shape[1]] * len(best)
    for n, (image_id, said) in enumerate(zip(batch.image_ids, batch.readings, strict=True)):
        if said.negated or image_id in rejected:
            refused = {column[tag_id] for tag_id in rejected.get(image_id, ()) if tag_id in column}
            chosen = _chosen_of_one(probability[n], {column[tag_id] for tag_id in said.denied()}, refused)
            counts[n] = len(chosen)
            best[n, : len(chosen)] = chosen
    return best, counts


def _chosen_of_one(probability: Floats, negated: set[int], refused: set[int]) -> list[int]:
    """Columns of the tags to suggest, best first; negated mentions take the last places if need be."""
    order = [k for k in np.argsort(-probability, kind="stable").tolist() if k not in refused]
    chosen: list[int] = order[:SUGGESTIONS_PER_IMAGE]
    missing = [k for k in order[SUGGESTIONS_PER_IMAGE:] if k in negated]
    if missing:
        kept = missing[: SUGGESTIONS_PER_IMAGE // 4]
        chosen = chosen[: SUGGESTIONS_PER_IMAGE - len(kept)] + kept
    return chosen


def _said(
    batch: Batch, caption: Floats, column: Mapping[int, int], best: NDArray[np.intp], counts: Sequence[int]
) -> dict[int, dict[int, str]]:
    """By row and place among its suggestions: what its caption says there, as JSON, where it is a reason to show."""
    mentions = Mentions.of(batch.readings, column)
    place_of = np.full(caption.shape, -1, dtype=np.int8)
    rows, places = np.nonzero(_counted(best, counts))
    place_of[rows, best[rows, places]] = places
    chosen = place_of[mentions.rows, mentions.columns]
    kept = np.flatnonzero((chosen >= 0) & mentions.shown)
    rows, columns = mentions.rows[kept], mentions.columns[kept]
    values = _steps(np.where(mentions.negated[kept], 0, caption[rows, columns]))
    texts = _lists(_SCORE_CELLS[values][:, None], [1] * len(kept))
    found: dict[int, dict[int, str]] = {}
    for n, at, place, score in zip(
        rows.tolist(), mentions.places[kept].tolist(), chosen[kept].tolist(), texts, strict=True
    ):
        evidence = batch.readings[n].evidence[at]
        found.setdefault(n, {})[place] = f'{{"kind":"caption","score":{score},"evidence":{evidence}}}'
    return found


def _counted(best: NDArray[np.intp], counts: Sequence[int]) -> NDArray[np.bool_]:
    """Which places of each row are suggestions; bool [N, at most 20]."""
    return np.asarray(np.arange(best.shape[1]) < np.array(counts)[:, None])


def highest(probability: Floats, most: int) -> NDArray[np.intp]:
    """Columns of the `most` highest values of each row, best first, of equals the one that comes first.

    Args:
        probability: float32 [N, K], none below 0.

    >>> highest(np.array([[0.5, 0.25, 0.5, 0.75]], dtype=np.float32), 3).tolist()
    [[3, 0, 2]]
    """
    columns = probability.shape[1]
    first = max(columns - most, 0)
    # Value and column in one number, so that no row is sorted whole: the bits of positive floats rise with them.
    bits = np.ascontiguousarray(probability, dtype=np.float32).view(np.uint32).astype(np.uint64) << 32
    keys = bits | np.arange(columns, dtype=np.uint64)[::-1]
    found = np.sort(np.partition(keys, first, axis=1)[:, first:] if first else keys, axis=1)[:, ::-1]
    return columns - 1 - (found & 0xFFFFFFFF).astype(np.intp)


def _steps(values: Floats) -> NDArray[np.intp]:
    """Numbers in [0, 1] as ten-thousandths."""
    return np.rint(np.clip(values.astype(np.float64), 0.0, 1.0) * _STEPS).astype(np.intp)


def _id_cells(ids: Sequence[int]) -> NDArray[np.bytes_]:
    width = max((len(str(number)) for number in ids), default=0)
    return np.array([f",{number:{width}d}" for number in ids], dtype=np.bytes_)


def _lists(cells: NDArray[np.bytes_], counts: Sequence[int]) -> list[str]:
    """The first cells of each row as one text. All are equally long and begin with a comma: a row is a slice."""
    text, width = cells.tobytes().decode("ascii"), cells.itemsize
    starts = range(0, len(text), width * cells.shape[1]) if text else [0] * len(counts)
    return [text[start + 1 : start + width * count] for start, count in zip(starts, counts, strict=True)]
