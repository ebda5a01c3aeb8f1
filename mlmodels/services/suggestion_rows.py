"""From scores to the rows that are stored: the best tags of each image and what speaks for them.

Whole columns at a time, with text that is written once and looked up: an object for each tag would cost most.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotations.services.suggestions import packed
from annotations.types import SuggestionRow
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language
from mlmodels.services.mentions import SHOWN_ABOVE, Mentions

if TYPE_CHECKING:
    from mlmodels.core.learning.fusion import Scores

SUGGESTIONS_PER_IMAGE = 20
_STEPS = 10_000
"""Scores are stored with four digits."""
_TEXT_OF = np.array([repr(step / _STEPS) for step in range(_STEPS + 1)], dtype=object)

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
    offers = np.take_along_axis(scores.probability >= scorer.thresholds, best, axis=1)
    names = np.array([str(tag_id) for tag_id in language.tag_ids], dtype=object)[best].tolist()
    values = _as_text(np.take_along_axis(scores.probability, best, axis=1)).tolist()
    seen = _as_text(np.take_along_axis(scores.vision, best, axis=1)).tolist()
    offered: list[list[str]] = [[] for _ in counts]
    for n, place in zip(*(found.tolist() for found in np.nonzero(offers)), strict=True):
        if place < counts[n]:
            offered[n].append(names[n][place])
    has_vision = batch.inputs.has_vision.tolist()
    for n, image_id in enumerate(batch.image_ids):
        count = counts[n]
        yield SuggestionRow(
            image_id=image_id,
            tag_ids=_array(names[n][:count]),
            scores=_array(values[n][:count]),
            offered_ids=_array(offered[n]),
            sources=packed(count, ",".join(seen[n][:count]) if has_vision[n] else "", said.get(n)),
            calibrated=scorer.calibrated,
            model_version_id=scorer.version_id,
            model_number=scorer.number,
            vocabulary_version=vocabulary_version,
        )


def _chosen(
    batch: Batch, probability: Floats, column: Mapping[int, int], rejected: Mapping[int, set[int]]
) -> tuple[NDArray[np.intp], list[int]]:
    """Columns of the tags to suggest, [N, at most 20], best first, and how many of them count in each row."""
    best = np.argsort(-probability, axis=1, kind="stable")[:, :SUGGESTIONS_PER_IMAGE]
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
    rows, places = np.nonzero(np.arange(best.shape[1]) < np.array(counts)[:, None])
    place_of[rows, best[rows, places]] = places
    places_said = place_of[mentions.rows, mentions.columns]
    denied = _denied(batch)
    shown = mentions.scores > SHOWN_ABOVE
    shown[list(denied)] = True
    kept = np.flatnonzero((places_said >= 0) & shown)
    values = _as_text(caption[mentions.rows[kept], mentions.columns[kept]])
    evidence = [text for said in batch.readings for text in said.evidence]
    found: dict[int, dict[int, str]] = {}
    for at, n, place, value in zip(
        kept.tolist(), mentions.rows[kept].tolist(), places_said[kept].tolist(), values.tolist(), strict=True
    ):
        score = "0.0" if at in denied else value
        found.setdefault(n, {})[place] = f'{{"kind":"caption","score":{score},"evidence":{evidence[at]}}}'
    return found


def _denied(batch: Batch) -> set[int]:
    """Places of negated mentions among those of all captions, one after the other."""
    places: set[int] = set()
    first = 0
    for said in batch.readings:
        places.update(first + place for place in said.negated)
        first += len(said.tag_ids)
    return places


def _as_text(values: Floats) -> NDArray[np.object_]:
    """Numbers in [0, 1] with four digits, as text."""
    steps = np.rint(np.clip(values.astype(np.float64), 0.0, 1.0) * _STEPS).astype(np.intp)
    return np.asarray(_TEXT_OF[steps])


def _array(numbers: Iterable[str]) -> str:
    """A list of numbers as PostgreSQL writes it."""
    return f"{{{','.join(numbers)}}}"
