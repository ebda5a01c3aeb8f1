"""Suggestions for a picture and a caption that are not stored. The web asks; a worker of queue `ml` answers.

The picture's bytes travel through the cache, under a key of one minute, so that no message grows with them.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import cache

from annotations.errors import NotFound
from annotations.pictures import PictureError, open_upright
from annotations.selectors import model_inputs
from mlmodels.errors import NoWorker, PictureNotReadable
from mlmodels.services import caption_features, extractors, heads, inputs, languages, mentions, scoring
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Batch, Features
from mlmodels.services.languages import Language

PICTURE_EXPIRES_S = 60


@dataclass(frozen=True)
class Prediction:
    """Suggestions as an Item of the queue has them, and the version that made them (id None: the prior)."""

    suggestions: list[dict[str, Any]]
    model_version_id: int | None
    model_number: int
    calibrated: bool


def hand_over(picture: bytes) -> str:
    """Put a picture where the worker finds it; returns the key."""
    key = f"predict:{uuid.uuid4().hex}"
    cache.set(key, picture, timeout=PICTURE_EXPIRES_S)
    return key


def predict(project_id: int, *, picture_key: str | None, caption: str, limit: int) -> Prediction:
    """Suggest the `limit` best tags, 0 for every one. Nothing is stored.

    Raises:
        PictureNotReadable: the bytes are no picture.
        NoWorker: the picture waited for longer than its key lives.
    """
    language = languages.of_project(project_id)
    scorer = heads.scorer_for(project_id, language)
    batch = _batch(_features(project_id, scorer, picture_key), caption, language)
    if scorer.reads_meaning:
        batch = inputs.explained(batch, [caption], language)
    return Prediction(
        suggestions=_suggestions(batch, scorer, language, limit),
        model_version_id=scorer.version_id,
        model_number=scorer.number,
        calibrated=scorer.calibrated,
    )


def _features(project_id: int, scorer: Scorer, picture_key: str | None) -> Features:
    """Features by the extractor that the scorer reads; before there is one, by the project's."""
    if picture_key is None:
        return inputs.no_features(1, scorer.extractor.dimensions if scorer.extractor else 0)
    data = cache.get(picture_key)
    if data is None:
        raise NoWorker
    cache.delete(picture_key)
    project = model_inputs.project(project_id)
    if project is None:
        raise NotFound
    extractor = extractors.load(scorer.extractor.name if scorer.extractor else project.extractor)
    try:
        picture = open_upright(data, at_least_px=extractor.side_px)
    except PictureError as error:
        raise PictureNotReadable(f"image: {error}") from error
    output = extractor.embed([picture])
    return Features(
        vision=output.features,
        class_probabilities=inputs.imagenet_or_zeros(output.class_probabilities),
        present=np.ones(1, dtype=bool),
    )


def _batch(features: Features, caption: str, language: Language) -> Batch:
    readings = tuple(mentions.of_reading(reading) for reading in language.read([caption]))
    vectors = caption_features.vectors_now([caption])
    return Batch(
        image_ids=(0,),
        inputs=inputs.assemble(features, [caption], readings, language, vectors),
        readings=readings,
    )


def _suggestions(batch: Batch, scorer: Scorer, language: Language, limit: int) -> list[dict[str, Any]]:
    scores = scorer.score(batch.inputs)
    order = np.argsort(-scores.probability[0], kind="stable")
    return [
        {
            "tag": {"id": language.tag_ids[k], "name": language.terms[k].name},
            "score": scoring.rounded(scores.probability[0, k]),
            "offered": bool(scores.probability[0, k] >= scorer.thresholds[k]),
            "sources": scoring.sources(batch, scores, k, language.tag_ids[k]),
        }
        for k in (int(column) for column in (order[:limit] if limit else order))
    ]
