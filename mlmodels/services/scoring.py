"""Turns scores into stored suggestions and queue ranks. Who serves is known by `heads`; nothing is trained."""

from collections.abc import Iterator, Sequence
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
    for start in range(0, len(image_ids), CHUNK_IMAGES):
        images = model_inputs.images(project_id, image_ids[start : start + CHUNK_IMAGES])
        batch = inputs.build(images, scorer.extractor, language)
        if scorer.reads_meaning:
            batch = inputs.explained(batch, [image.caption for image in images], language)
        scores = scorer.score(batch.inputs)
        rejected = truth.explicit_no(batch.image_ids)
        rows = suggestion_rows(batch, scores, scorer, language, rejected, vocabulary_version)
        stored += suggestions.store(project_id, rows)
        queue.fill(project_id, queue_ranks(batch, scores, scorer, language))
    return stored


def suggestion_rows(
    batch: Batch,
    scores: "Scores",
    scorer: Scorer,
    language: Language,
    rejected: dict[int, set[int]],
    vocabulary_version: int,
) -> Iterator[SuggestionRow]:
    """One row an image: the best tags but those that people rejected there, and mentions that are negated."""
    for n, image_id in enumerate(batch.image_ids):
        matches = {match.tag_id: match for match in batch.readings[n].matches}
        columns = _chosen(scores.probability[n], language, matches, rejected.get(image_id, set()))
        probability = scores.probability[n]
        offered = [language.tag_ids[k] for k in columns if probability[k] >= scorer.thresholds[k]]
        yield SuggestionRow(
            image_id=image_id,
            tag_ids=[language.tag_ids[k] for k in columns],
            scores=[rounded(probability[k]) for k in columns],
            offered_ids=offered,
            sources=[sources(batch, scores, n, k, matches.get(language.tag_ids[k])) for k in columns],
            calibrated=scorer.calibrated,
            model_version_id=scorer.version_id,
            model_number=scorer.number,
            vocabulary_version=vocabulary_version,
        )


def sources(
    batch: Batch, scores: "Scores", n: int, k: int, match: "CaptionMatch | None"
) -> list[dict[str, Any]]:
    """What speaks for tag k on image n: its pixels, and the words of its caption with their place."""
    found: list[dict[str, Any]] = []
    if batch.inputs.has_vision[n]:
        found.append({"kind": "vision", "score": rounded(scores.vision[n, k])})
    if match is not None:
        score = 0.0 if match.evidence.negated else rounded(scores.caption[n, k])
        found.append({"kind": "caption", "score": score, "evidence": evidence(match)})
    return found


def evidence(match: "CaptionMatch") -> dict[str, Any]:
    said = match.evidence
    shown: dict[str, Any] = {"start": said.start, "end": said.end, "text": said.text, "rule": said.rule}
    if said.negated:
        shown |= {"negated": True, "cue_start": said.cue_start, "cue_end": said.cue_end}
    return shown


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
    probability: NDArray[np.floating],
    language: Language,
    matches: "dict[int, CaptionMatch]",
    rejected: set[int],
) -> list[int]:
    """Columns of the tags to suggest, best first; negated mentions take the last places if need be."""
    order = [int(k) for k in np.argsort(-probability, kind="stable") if language.tag_ids[k] not in rejected]
    chosen = order[:SUGGESTIONS_PER_IMAGE]
    negated = [k for k in order[SUGGESTIONS_PER_IMAGE:] if _is_negated(matches.get(language.tag_ids[k]))]
    if negated:
        kept = negated[: SUGGESTIONS_PER_IMAGE // 4]
        chosen = chosen[: SUGGESTIONS_PER_IMAGE - len(kept)] + kept
    return chosen


def _is_negated(match: "CaptionMatch | None") -> bool:
    return match is not None and match.evidence.negated


def rounded(value: float) -> float:
    return round(float(min(max(value, 0.0), 1.0)), SCORE_DIGITS)
