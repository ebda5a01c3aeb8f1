"""Turns scores into stored suggestions and queue ranks. Who serves is known by `heads`; nothing is trained."""

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs, truth
from annotations.services import queue, suggestions
from annotations.types import QueueRank, SuggestionRow
from mlmodels.services import heads, inputs, languages, ranking, versions
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language

if TYPE_CHECKING:
    from mlmodels.core.learning.fusion import Scores
    from mlmodels.core.types import CaptionMatch

CHUNK_IMAGES = 2_000
NEXT_OF_QUEUE = 2_000
SUGGESTIONS_PER_IMAGE = 20
SCORE_DIGITS = 4


def refresh(project_id: int, image_ids: Sequence[int], *, scorer: Scorer | None = None) -> int:
    """Score these images, store suggestions and ranks, return how many. Without `scorer`: what is live."""
    project = model_inputs.project(project_id)
    if project is None or not image_ids:
        return 0
    # Read before the tags: if the vocabulary changes in between, the rows count as stale and are made again.
    vocabulary_version = project.vocabulary_version
    language = languages.of_project(project_id)
    scorer = scorer or heads.scorer_for(project_id, language)
    if scorer.problem:
        versions.fall_back(project_id, scorer)
    stored = 0
    for batch in _loaded(project_id, image_ids, scorer, language):
        with _without_collector():
            scores = scorer.score(batch.inputs)
            rejected = truth.explicit_no(batch.image_ids)
            rows = suggestion_rows(batch, scores, scorer, language, rejected, vocabulary_version)
            stored += suggestions.store(project_id, rows)
            queue.fill(project_id, queue_ranks(batch, scores, scorer, language))
    return stored


def _loaded(project_id: int, image_ids: Sequence[int], scorer: Scorer, language: Language) -> Iterator[Batch]:
    """The images chunk by chunk."""
    for start in range(0, len(image_ids), CHUNK_IMAGES):
        images = model_inputs.images(project_id, image_ids[start : start + CHUNK_IMAGES])
        with _without_collector():
            batch = inputs.build(images, scorer.extractor, language, keep=True)
            if scorer.reads_meaning:
                batch = inputs.explained(batch, [image.caption for image in images], language)
        yield batch


def suggestion_rows(
    batch: Batch,
    scores: "Scores",
    scorer: Scorer,
    language: Language,
    rejected: dict[int, set[int]],
    vocabulary_version: int,
) -> Iterator[SuggestionRow]:
    """One row an image: the best tags but those that people rejected there, and mentions that are negated."""
    best = _best(scores.probability)
    columns_of = best.tolist()
    score_of = _rounded(np.take_along_axis(scores.probability, best, axis=1))
    seen_of = _rounded(np.take_along_axis(scores.vision, best, axis=1))
    offers = scores.probability >= scorer.thresholds
    column = {tag_id: k for k, tag_id in enumerate(language.tag_ids)}
    for n, image_id in enumerate(batch.image_ids):
        matches = {column[match.tag_id]: match for match in batch.readings[n].matches}
        refused = {column[tag_id] for tag_id in rejected.get(image_id, ()) if tag_id in column}
        columns, values, seen = columns_of[n], score_of[n], seen_of[n]
        if refused or any(_is_negated(match) for match in matches.values()):
            columns = _chosen(scores.probability[n], matches, refused)
            values, seen = _rounded(scores.probability[n, columns]), _rounded(scores.vision[n, columns])
        said = {k: rounded(scores.caption[n, k]) for k in matches}
        has_vision = bool(batch.inputs.has_vision[n])
        yield SuggestionRow(
            image_id=image_id,
            tag_ids=[language.tag_ids[k] for k in columns],
            scores=values,
            offered_ids=[language.tag_ids[k] for k in columns if offers[n, k]],
            sources=_all_as_json(columns, seen if has_vision else None, said, matches),
            calibrated=scorer.calibrated,
            model_version_id=scorer.version_id,
            model_number=scorer.number,
            vocabulary_version=vocabulary_version,
        )


def _best(probability: NDArray[np.floating]) -> NDArray[np.intp]:
    """Columns of the best tags of every image, [N, at most 20], best first, equals in the order of the tags."""
    return np.argsort(-probability, axis=1, kind="stable")[:, :SUGGESTIONS_PER_IMAGE]


def _all_as_json(
    columns: Sequence[int],
    seen: Sequence[float] | None,
    said: dict[int, float],
    matches: "dict[int, CaptionMatch]",
) -> str:
    """`sources` of all these tags as JSON text."""
    parts = [
        _as_json(seen[at] if seen is not None else None, said.get(k, 0.0), matches.get(k))
        for at, k in enumerate(columns)
    ]
    return f"[{','.join(parts)}]"


def sources(
    batch: Batch, scores: "Scores", n: int, k: int, match: "CaptionMatch | None"
) -> list[dict[str, Any]]:
    """What speaks for tag k on image n: its pixels, and the words of its caption with their place."""
    seen = rounded(scores.vision[n, k]) if batch.inputs.has_vision[n] else None
    found: list[dict[str, Any]] = json.loads(_as_json(seen, rounded(scores.caption[n, k]), match))
    return found


def _as_json(seen: float | None, said: float, match: "CaptionMatch | None") -> str:
    """One tag's sources as JSON text: written out, since a scoring makes millions of them."""
    pixels = "" if seen is None else f'{{"kind":"vision","score":{seen!r}}}'
    if match is None:
        return f"[{pixels}]"
    parts = [pixels] if pixels else []
    place = match.evidence
    score, cue = said, ""
    if place.negated:
        score = 0.0
        cue = (
            f',"negated":true,"cue_start":{json.dumps(place.cue_start)},"cue_end":{json.dumps(place.cue_end)}'
        )
    parts.append(
        f'{{"kind":"caption","score":{score!r},"evidence":{{"start":{place.start},"end":{place.end}'
        f',"text":{json.dumps(place.text)},"rule":{json.dumps(place.rule)}{cue}}}}}'
    )
    return f"[{','.join(parts)}]"


def queue_ranks(batch: Batch, scores: "Scores", scorer: Scorer, language: Language) -> list[QueueRank]:
    """Ranks of those images of the batch that stand in the queue and whose suggestions people see."""
    waiting = model_inputs.waiting(batch.image_ids)
    rows = [n for n, image_id in enumerate(batch.image_ids) if image_id in waiting]
    if not rows or not language.terms:
        return []
    ids = [batch.image_ids[n] for n in rows]
    if not scorer.calibrated:
        return ranking.at_random(ids)
    names = [term.name for term in language.terms]
    return ranking.by_uncertainty(ids, scores.probability[rows], names)


def _chosen(
    probability: NDArray[np.floating], matches: "dict[int, CaptionMatch]", refused: set[int]
) -> list[int]:
    """Columns of the tags to suggest, best first; negated mentions take the last places if need be."""
    order = [k for k in np.argsort(-probability, kind="stable").tolist() if k not in refused]
    chosen = order[:SUGGESTIONS_PER_IMAGE]
    negated = [k for k in order[SUGGESTIONS_PER_IMAGE:] if _is_negated(matches.get(k))]
    if negated:
        kept = negated[: SUGGESTIONS_PER_IMAGE // 4]
        chosen = chosen[: SUGGESTIONS_PER_IMAGE - len(kept)] + kept
    return chosen


def _is_negated(match: "CaptionMatch | None") -> bool:
    return match is not None and match.evidence.negated


def rounded(value: float) -> float:
    return round(float(min(max(value, 0.0), 1.0)), SCORE_DIGITS)


def _rounded(values: NDArray[np.floating]) -> Any:
    """Like `rounded`, of many at once: nested lists."""
    return np.clip(values.astype(np.float64), 0.0, 1.0).round(SCORE_DIGITS).tolist()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pauses the search for reference cycles, which would walk the language data again and again and find none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
