"""What a head learns from and scores: arrays of features, priors and truth, checked once."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError


@dataclass(frozen=True)
class CaptionText:
    """What vectors of captions say of N images and K tags; zeros where an image has no caption that was read.

    Attributes:
        encoder: key of the text encoder, or of the shipped word vectors: those of two are never mixed.
        vector: float32 [N, T], unit length.
        meaning: float32 [N, K], how near the caption comes to the tag, 0 where that says nothing.
    """

    encoder: str
    vector: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def rows(self, rows: NDArray[np.intp]) -> "CaptionText":
        """The images at `rows`, in that order."""
        return CaptionText(self.encoder, self.vector[rows], self.meaning[rows])

    def columns(self, columns: NDArray[np.intp]) -> "CaptionText":
        """The tags at `columns`, in that order."""
        return CaptionText(self.encoder, self.vector, self.meaning[:, columns])

    def with_more(self, other: "CaptionText") -> "CaptionText":
        """These images and then the `other` ones, of the same encoder."""
        return CaptionText(
            self.encoder,
            np.concatenate([self.vector, other.vector]),
            np.concatenate([self.meaning, other.meaning]),
        )


@dataclass(frozen=True)
class HeadInputs:
    """N images as a head of K tags sees them; a missing source is a row of zeros and False in its indicator.

    Attributes:
        vision: float32 [N, D], L2-normalised.
        has_vision: bool [N].
        class_prior: float32 [N, K], summed ImageNet probability of the classes that map to the tag.
        caption_prior: float32 [N, K], caption match in [0, 1]; 0 where there is none or it is negated.
        terms: N tuples of content lemmas.
        has_caption: bool [N].
        text: what the captions mean by their vectors; None where nothing reads them so.
        words: the same by word vectors, for heads that learnt from these, where `text` is not already that.
    """

    vision: NDArray[np.float32]
    has_vision: NDArray[np.bool_]
    class_prior: NDArray[np.float32]
    caption_prior: NDArray[np.float32]
    terms: tuple[tuple[str, ...], ...]
    has_caption: NDArray[np.bool_]
    text: CaptionText | None = None
    words: CaptionText | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together and values that are not numbers, by field name."""
        images, tags = self.class_prior.shape
        _expect_shape("vision", self.vision, (images, self.vision.shape[-1]))
        _expect_shape("caption_prior", self.caption_prior, (images, tags))
        _expect_shape("has_vision", self.has_vision, (images,))
        _expect_shape("has_caption", self.has_caption, (images,))
        if len(self.terms) != images:
            raise TrainingDataError("terms", f"expected {images} images, got {len(self.terms)}")
        for name in ("vision", "class_prior", "caption_prior"):
            _expect_numbers(name, getattr(self, name))
        for name, text in (("text", self.text), ("words", self.words)):
            if text is not None:
                _expect_shape(f"{name}.vector", text.vector, (images, text.vector.shape[-1]))
                _expect_shape(f"{name}.meaning", text.meaning, (images, tags))
                _expect_numbers(f"{name}.vector", text.vector)
                _expect_numbers(f"{name}.meaning", text.meaning)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.class_prior)

    def columns(self, columns: NDArray[np.intp]) -> "HeadInputs":
        """The tags at `columns`, in that order; one may stand there twice."""
        return replace(
            self,
            class_prior=self.class_prior[:, columns],
            caption_prior=self.caption_prior[:, columns],
            text=None if self.text is None else self.text.columns(columns),
            words=None if self.words is None else self.words.columns(columns),
        )

    def rows(self, rows: NDArray[np.intp]) -> "HeadInputs":
        """The images at `rows`, in that order.

        >>> HeadInputs(np.zeros((2, 1)), np.ones(2, bool), np.zeros((2, 1)), np.zeros((2, 1)),
        ...            (("dog",), ()), np.ones(2, bool)).rows(np.array([1])).terms
        ((),)
        """
        return HeadInputs(
            vision=self.vision[rows],
            has_vision=self.has_vision[rows],
            class_prior=self.class_prior[rows],
            caption_prior=self.caption_prior[rows],
            terms=tuple(self.terms[row] for row in rows),
            has_caption=self.has_caption[rows],
            text=None if self.text is None else self.text.rows(rows),
            words=None if self.words is None else self.words.rows(rows),
        )

    def with_more(self, other: "HeadInputs") -> "HeadInputs":
        """These images and then the `other` ones, of the same tags, extractor and text encoder."""
        if self.encoder != other.encoder:
            raise TrainingDataError(
                "text",
                f"expected text encoder {self.encoder!r}, got {other.encoder!r}; read all captions with one",
            )
        return HeadInputs(
            vision=np.concatenate([self.vision, other.vision]),
            has_vision=np.concatenate([self.has_vision, other.has_vision]),
            class_prior=np.concatenate([self.class_prior, other.class_prior]),
            caption_prior=np.concatenate([self.caption_prior, other.caption_prior]),
            terms=(*self.terms, *other.terms),
            has_caption=np.concatenate([self.has_caption, other.has_caption]),
            text=self.text.with_more(other.text) if self.text and other.text else None,
            words=self.words.with_more(other.words) if self.words and other.words else None,
        )

    @property
    def encoder(self) -> str:
        """Key of what reads the captions by their vectors; empty where nothing does."""
        return "" if self.text is None else self.text.encoder

    def without_text(self) -> "HeadInputs":
        """The same images as they are without vectors of captions."""
        return self if self.text is None else replace(self, text=None)

    def read_by(self, encoder: str) -> "HeadInputs":
        """The same images with what this encoder, or the word vectors of this key, say of the captions.

        Raises:
            TrainingDataError: if it has not read them.
        """
        if self.encoder == encoder:
            return self
        if self.words is not None and self.words.encoder == encoder:
            return replace(self, text=self.words)
        raise TrainingDataError(
            "text",
            f"expected captions read by text encoder {encoder!r} as in training, got {self.encoder!r}; "
            "use that encoder, or train again",
        )


@dataclass(frozen=True)
class TrainingSet:
    """What people said of N images and K tags.

    Attributes:
        inputs: of the same images and tags.
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown (masked everywhere).
        weights: float32 [N], inverse draw probability clipped at 10; they weigh calibration.
        tag_ids: K ids, in the order of the columns.
        image_ids: N ids; they decide the folds, so that the order of rows does not.
    """

    inputs: HeadInputs
    truth: NDArray[np.int8]
    weights: NDArray[np.float32]
    tag_ids: tuple[int, ...]
    image_ids: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together, and values that truth and weights cannot have."""
        images, tags = self.inputs.class_prior.shape
        _expect_shape("truth", self.truth, (images, tags))
        _expect_shape("weights", self.weights, (images,))
        _expect_numbers("weights", self.weights)
        if not np.isin(self.truth, (-1, 0, 1)).all():
            raise TrainingDataError(
                "truth", "expected 1 (yes), 0 (no) or -1 (unknown); map other values first"
            )
        if (self.weights <= 0).any():
            raise TrainingDataError("weights", "expected positive weights; leave images out by truth -1")
        if len(self.tag_ids) != tags or len(set(self.tag_ids)) != tags:
            raise TrainingDataError("tag_ids", f"expected {tags} different ids, got {len(set(self.tag_ids))}")
        if len(self.image_ids) != images or len(set(self.image_ids)) != images:
            count = len(set(self.image_ids))
            raise TrainingDataError("image_ids", f"expected {images} different ids, got {count}")

    def rows(self, rows: NDArray[np.intp]) -> "TrainingSet":
        """The images at `rows`, in that order."""
        return TrainingSet(
            inputs=self.inputs.rows(rows),
            truth=self.truth[rows],
            weights=self.weights[rows],
            tag_ids=self.tag_ids,
            image_ids=tuple(self.image_ids[row] for row in rows),
        )

    def with_unreviewed(self, inputs: HeadInputs) -> "TrainingSet":
        """This set with more images at its end, of which nothing is known; they get ids below all others."""
        lowest = min(0, *self.image_ids)
        return TrainingSet(
            inputs=self.inputs.with_more(inputs),
            truth=np.concatenate([self.truth, np.full(inputs.class_prior.shape, -1, dtype=np.int8)]),
            weights=np.concatenate([self.weights, np.ones(len(inputs), dtype=np.float32)]),
            tag_ids=self.tag_ids,
            image_ids=(*self.image_ids, *range(lowest - len(inputs), lowest)),
        )


def _expect_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise TrainingDataError(name, f"expected shape {shape}, got {array.shape}; build all arrays together")


def _expect_numbers(name: str, array: NDArray[np.generic]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise TrainingDataError(name, f"expected numbers, got NaN or infinity in row {row}; compute it again")
