"""Turns scores into stored suggestions and queue ranks. Who serves is known by `heads`; nothing is trained."""

import gc
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection, connections, transaction

from annotations.selectors import model_inputs, truth
from annotations.services import queue, suggestions
from annotations.types import QueueRank, SuggestionRow
from mlmodels.services import heads, inputs, languages, ranking, versions
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language
from mlmodels.services.ranking import Question
from mlmodels.services.suggestion_rows import suggestion_rows

if TYPE_CHECKING:
    from mlmodels.core.learning.fusion import Scores

CHUNK_IMAGES = 2_000
NEXT_OF_QUEUE = 2_000
SCORE_DIGITS = 4


def refresh(
    project_id: int, image_ids: Sequence[int], *, scorer: Scorer | None = None, anew: bool = False
) -> int:
    """Score these images, store suggestions and ranks, return how many. Without `scorer`: what is live.

    `anew`: all images get new ranks now, these among them; without it they are put among the ranks that stand.
    """
    from mlmodels.core.learning.parallel import one_thread_a_product

    project = model_inputs.project(project_id)
    if project is None or not image_ids:
        return 0
    # Read before the tags: if the vocabulary changes in between, the rows count as stale and are made again.
    vocabulary_version = project.vocabulary_version
    language = languages.of_project(project_id)
    scorer = scorer or heads.scorer_for(project_id, language)
    if scorer.problem:
        versions.fall_back(project_id, scorer)
    asked = ranking.question(project_id, scorer, language, vocabulary_version)
    stored = 0
    # A product here is so small that threads of its own would wait longer for each other than they compute.
    with _without_collector(), one_thread_a_product():
        for batch in _loaded(project_id, image_ids, scorer, language):
            scores = scorer.score(batch.inputs)
            rejected = truth.explicit_no(batch.image_ids)
            rows = suggestion_rows(batch, scores, scorer, language, rejected, vocabulary_version)
            ranks = queue_ranks(asked, batch, scores, scorer, language)
            stored += _store(project_id, rows, ranks, anew)
    return stored


@transaction.atomic
def _store(project_id: int, rows: Iterator[SuggestionRow], ranks: list[QueueRank], anew: bool) -> int:
    """Suggestions and ranks together, without waiting for the disk.

    What a crash of the database takes with it is the suggestions of the last moment, whole chunks with their ranks:
    these images count as stale, and a sweep scores them again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    sent = suggestions.store(project_id, rows)
    queue.fill(project_id, ranks, anew=anew)
    return sent


def _loaded(project_id: int, image_ids: Sequence[int], scorer: Scorer, language: Language) -> Iterator[Batch]:
    """The images chunk by chunk; of many, the next chunk is read while the one before is scored and stored."""

    def load(start: int) -> Batch:
        images = model_inputs.images(project_id, image_ids[start : start + CHUNK_IMAGES])
        batch = inputs.build(images, scorer.extractor, language, keep=True)
        if scorer.reads_meaning:
            batch = inputs.explained(batch, [image.caption for image in images], language)
        return batch

    starts = range(0, len(image_ids), CHUNK_IMAGES)
    # Another thread has a connection of its own, which does not see what an open transaction has written.
    if len(starts) == 1 or connection.in_atomic_block:
        yield from map(load, starts)
        return
    with ThreadPoolExecutor(1) as pool:
        try:
            coming = pool.submit(load, starts[0])
            for start in starts[1:]:
                batch, coming = coming.result(), pool.submit(load, start)
                yield batch
            yield coming.result()
        finally:
            pool.submit(connections.close_all).result()


def sources(batch: Batch, scores: "Scores", k: int, tag_id: int) -> list[dict[str, Any]]:
    """What speaks for a tag, column k, on the only image of a batch: its pixels, and its caption's words."""
    found: list[dict[str, Any]] = []
    if batch.inputs.has_vision[0]:
        found.append({"kind": "vision", "score": rounded(scores.vision[0, k])})
    said = batch.readings[0]
    if tag_id in said.tag_ids and said.is_shown(place := said.tag_ids.index(tag_id)):
        score = 0.0 if place in said.negated else rounded(scores.caption[0, k])
        found.append({"kind": "caption", "score": score, "evidence": json.loads(said.evidence[place])})
    return found


def queue_ranks(
    asked: Question, batch: Batch, scores: "Scores", scorer: Scorer, language: Language
) -> list[QueueRank]:
    """Ranks of those images of the batch that stand in the queue and whose suggestions people see."""
    waiting = model_inputs.waiting(batch.image_ids)
    rows = [n for n, image_id in enumerate(batch.image_ids) if image_id in waiting]
    if not rows or not language.terms:
        return []
    return ranking.ranks(asked, batch, scores, rows, scorer, language)


def rounded(value: float) -> float:
    return round(float(min(max(value, 0.0), 1.0)), SCORE_DIGITS)


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
