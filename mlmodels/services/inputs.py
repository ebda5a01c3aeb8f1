"""What a head reads of images, as arrays: features, ImageNet probabilities, captions. Nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import arrays
from annotations.selectors.model_inputs import ImageInput
from mlmodels.models import Extractor
from mlmodels.services import caption_features, caption_words, halfvec, readings
from mlmodels.services.languages import Language
from mlmodels.services.mentions import Mentions, Said

if TYPE_CHECKING:
    from mlmodels.core.learning.dataset import HeadInputs

IMAGENET_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Features:
    """Stored features of N images; rows of images that have none are zero and `present` is False there."""

    vision: NDArray[np.float32]  # [N, D]
    class_probabilities: NDArray[np.float32]  # [N, 1000]
    present: NDArray[np.bool_]  # [N]


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs of N images with the readings of their captions, which carry the evidence."""

    image_ids: tuple[int, ...]
    inputs: "HeadInputs"
    readings: tuple[Said, ...]


def build(
    images: Sequence[ImageInput], extractor: Extractor | None, language: Language, *, keep: bool = False
) -> Batch:
    """Read the features of these images and their captions. Two queries, and a third with a text encoder.

    With `keep` what is read in a caption for the first time is stored.
    """
    features = stored_features([image.image_id for image in images], extractor)
    captions = [image.caption for image in images]
    found = readings.read(images, language, keep=keep)
    return Batch(
        image_ids=tuple(image.image_id for image in images),
        inputs=assemble(features, captions, found, language, caption_features.vectors(captions)),
        readings=found,
    )


def assemble(
    features: Features,
    captions: Sequence[str],
    readings: Sequence[Said],
    language: Language,
    vectors: NDArray[np.float32] | None,
) -> "HeadInputs":
    """Everything as arrays; `vectors` [N, T] are those of the captions, None without a text encoder.

    Then word vectors say what captions mean, in the language that has some. They stand by in any case, for a head that
    learnt from them before there was an encoder, or before the captions were in another language.
    """
    from mlmodels.core.learning.dataset import HeadInputs

    column = {tag_id: k for k, tag_id in enumerate(language.tag_ids)}
    caption_prior = np.zeros((len(captions), len(column)), dtype=np.float32)  # [N, K]
    mentions = Mentions.of(readings, column)
    caption_prior[mentions.rows, mentions.columns] = mentions.scores
    words = caption_words.text(language, readings)
    text = words if language.is_english else None
    if vectors is not None:
        text = caption_features.text(language.terms, readings, vectors)
    return HeadInputs(
        vision=features.vision,
        has_vision=features.present,
        class_prior=features.class_probabilities @ language.class_map,
        caption_prior=caption_prior,
        terms=tuple(reading.terms for reading in readings),
        has_caption=np.array([bool(caption.strip()) for caption in captions], dtype=bool),
        text=text,
        words=None if text is words else words,
    )


def explained(batch: Batch, captions: Sequence[str], language: Language) -> Batch:
    """The batch with evidence for what a text encoder adds to its readings; without one, the batch itself.

    What words alone are near to is no reason to show: a wolf is near to a dog.
    """
    text = batch.inputs.text
    if text is None or text.encoder == caption_words.key():
        return batch
    readings = caption_features.explained(language.terms, batch.readings, captions, text)
    return replace(batch, readings=readings)


def stored_features(image_ids: Sequence[int], extractor: Extractor | None) -> Features:
    """The features of these images in their order, read in the database's binary form. One query."""
    if extractor is None:  # nothing has been looked at yet: captions alone speak
        return no_features(len(image_ids), 0)
    index = {image_id: n for n, image_id in enumerate(image_ids)}
    rows = halfvec.rows(
        """
        SELECT image_id, halfvec_send(vector), halfvec_send(class_probabilities)
        FROM mlmodels_imagefeature
        WHERE extractor_id = %s AND image_id = ANY(%s::bigint[]) AND vector IS NOT NULL
        """,
        [extractor.pk, arrays.literal(image_ids)],
    )
    present = np.zeros(len(image_ids), dtype=bool)
    vectors = [halfvec.zeros(extractor.dimensions)] * len(image_ids)
    classes = [halfvec.zeros(IMAGENET_CLASSES)] * len(image_ids)
    for image_id, vector, probabilities in rows:
        place = index[image_id]
        present[place], vectors[place] = True, vector
        if probabilities is not None:
            classes[place] = probabilities
    return Features(
        vision=halfvec.decoded(vectors, extractor.dimensions),
        class_probabilities=halfvec.decoded(classes, IMAGENET_CLASSES),
        present=present,
    )


def no_features(images: int, dimensions: int) -> Features:
    """The features of images that nothing has looked at."""
    return Features(
        vision=np.zeros((images, dimensions), dtype=np.float32),
        class_probabilities=np.zeros((images, IMAGENET_CLASSES), dtype=np.float32),
        present=np.zeros(images, dtype=bool),
    )


def imagenet_or_zeros(class_probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zeros where the backbone was not trained on ImageNet's classes: there is nothing to map to tags."""
    if class_probabilities.shape[1] == IMAGENET_CLASSES:
        return class_probabilities
    return np.zeros((len(class_probabilities), IMAGENET_CLASSES), dtype=np.float32)


def stored_vision(image_ids: Sequence[int], extractor: Extractor) -> NDArray[np.float32]:
    """The feature vectors alone, [N, D]; zero where there is none. One query."""
    index = {image_id: n for n, image_id in enumerate(image_ids)}
    vision = np.zeros((len(index), extractor.dimensions), dtype=np.float32)
    rows = halfvec.rows(
        "SELECT image_id, halfvec_send(vector) FROM mlmodels_imagefeature "
        "WHERE extractor_id = %s AND image_id = ANY(%s::bigint[]) AND vector IS NOT NULL",
        [extractor.pk, arrays.literal(image_ids)],
    )
    vision[[index[row[0]] for row in rows]] = halfvec.decoded([row[1] for row in rows], extractor.dimensions)
    return vision
