"""Vectors of captions: computed once a caption and encoder, in slices, resumable; nothing at all without an encoder.

A vector belongs to a text and not to an image: images that share a caption share it, and a changed caption
is simply one that has none yet.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection, transaction
from django.db.models import CharField, Exists, Func, OuterRef
from numpy.typing import NDArray

from annotations.selectors import model_inputs
from mlmodels.models import CaptionFeature
from mlmodels.services import encoders, halfvec
from mlmodels.services.mentions import Said, denials, of_reading

if TYPE_CHECKING:
    from mlmodels.core.language.encoder import TextEncoder
    from mlmodels.core.language.nearness import TagVectors
    from mlmodels.core.learning.dataset import CaptionText
    from mlmodels.core.types import TagTerm

Floats = NDArray[np.float32]

# A slice is one task: so short that other work of the queue, such as a prediction, comes in between.
SLICE_CAPTIONS = 512
SLICE_S = 2.0
BATCH_CAPTIONS = 256


@dataclass(frozen=True)
class Slice:
    """What one call did: images whose caption has a vector now, and the id to go on after; None at the end."""

    computed: tuple[int, ...] = ()
    resume_after: int | None = None


@dataclass(frozen=True)
class _Waiting:
    image_id: int
    caption: str


@transaction.atomic
def compute_slice(project_id: int, *, after_id: int = 0) -> Slice:
    """Read the next captions that have no vector. Called twice at once, one caller does the work."""
    encoder = encoders.load()
    if encoder is None or model_inputs.project(project_id) is None or not _lock(project_id, encoder.key):
        return Slice()
    waiting = _without_vector(project_id, encoder.key, after_id)
    computed: list[int] = []
    until = time.monotonic() + SLICE_S
    for start in range(0, len(waiting), BATCH_CAPTIONS):
        if start and time.monotonic() > until:
            return Slice(tuple(computed), computed[-1])
        batch = waiting[start : start + BATCH_CAPTIONS]
        _store(encoder, [one.caption for one in batch])
        computed += [one.image_id for one in batch]
    return Slice(tuple(computed), computed[-1] if len(waiting) == SLICE_CAPTIONS else None)


def vectors(captions: Sequence[str]) -> Floats | None:
    """Stored vectors of captions, float32 [N, T], zeros where there is none yet. One query, none without an encoder."""
    encoder = encoders.load()
    if encoder is None:
        return None
    found = np.zeros((len(captions), encoder.dimensions), dtype=np.float32)
    rows_of: dict[str, list[int]] = {}
    for row, caption in enumerate(captions):
        if caption.strip():
            rows_of.setdefault(digest(caption), []).append(row)
    if not rows_of:
        return found
    rows = halfvec.rows(
        "SELECT caption_sha256, halfvec_send(vector) FROM mlmodels_captionfeature "
        "WHERE encoder = %s AND caption_sha256 = ANY(%s)",
        [encoder.key, list(rows_of)],
    )
    stored = halfvec.decoded([row[1] for row in rows], encoder.dimensions)
    for (sha256, _), vector in zip(rows, stored, strict=True):
        found[rows_of[sha256]] = vector
    return found


def vectors_now(captions: Sequence[str]) -> Floats | None:
    """Vectors of captions that belong to no image, float32 [N, T]; nothing is stored."""
    encoder = encoders.load()
    return None if encoder is None else _encoded(encoder, captions)


def _encoded(encoder: "TextEncoder", captions: Sequence[str]) -> Floats:
    from mlmodels.core.language.nearness import caption_vectors

    return caption_vectors(captions, encoder.encode)


def text(terms: "tuple[TagTerm, ...]", readings: Sequence[Said], vectors: Floats) -> "CaptionText":
    """What a head reads of captions by their vectors [N, T]: these, and how near they come to the tags."""
    from mlmodels.core.learning.dataset import CaptionText

    denied = denials(readings, [term.id for term in terms])
    key = encoders.key()
    return CaptionText(key, vectors, _tag_vectors(terms, key).meaning(vectors, denied))


def warm_up(terms: "tuple[TagTerm, ...]") -> None:
    """Load the encoder and read the tags' words now, if there is an encoder."""
    if key := encoders.key():
        _tag_vectors(terms, key)


def explained(
    terms: "tuple[TagTerm, ...]",
    readings: tuple[Said, ...],
    captions: Sequence[str],
    text: "CaptionText",
) -> tuple[Said, ...]:
    """The readings with the word that brings each caption near to a tag that no rule found in it."""
    from mlmodels.core.language import nearness

    near = [bool((meaning >= nearness.NEAR_CAPTION).any()) for meaning in text.meaning]
    words = [
        caption[start:end].lower()
        for caption, is_near in zip(captions, near, strict=True)
        if is_near
        for start, end in nearness.content_words(caption)
    ]
    if words:
        encoders.encode_words(words)  # all new ones at once: one caption's alone would not fill the processor
    tags, ids = _tag_vectors(terms, text.encoder), [term.id for term in terms]
    return tuple(
        of_reading(nearness.explain(said.reading(), caption, meaning, ids, tags, encoders.encode_words))
        if is_near
        else said
        for said, caption, meaning, is_near in zip(readings, captions, text.meaning, near, strict=True)
    )


@lru_cache(maxsize=4)
def _tag_vectors(terms: "tuple[TagTerm, ...]", key: str) -> "TagVectors":
    from mlmodels.core.language.nearness import tag_vectors

    return tag_vectors(terms, encoders.encode_words)


def digest(caption: str) -> str:
    """Under which a caption's vector is kept; the database computes the same."""
    return hashlib.sha256(caption.encode()).hexdigest()


class _Digest(Func):
    """`digest`, computed by the database."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = CharField()


def _without_vector(project_id: int, key: str, after_id: int) -> list[_Waiting]:
    """Images by id whose caption has no vector; a caption that two of them share stands there twice."""
    stored = CaptionFeature.objects.filter(encoder=key, caption_sha256=OuterRef("digest"))
    rows = model_inputs.image_rows(project_id).filter(pk__gt=after_id).exclude(caption="")
    rows = rows.annotate(digest=_Digest("caption")).filter(~Exists(stored)).order_by("pk")
    return [_Waiting(*row) for row in rows.values_list("pk", "caption")[:SLICE_CAPTIONS]]


def _store(encoder: "TextEncoder", captions: Sequence[str]) -> None:
    texts = list(dict.fromkeys(captions))
    CaptionFeature.objects.bulk_create(
        [
            CaptionFeature(encoder=encoder.key, caption_sha256=digest(text), vector=vector)
            for text, vector in zip(texts, _encoded(encoder, texts), strict=True)
        ],
        ignore_conflicts=True,
    )


def _lock(project_id: int, key: str) -> bool:
    """Try the lock that makes one worker at a time read a project's captions; it ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"captions:{project_id}:{key}"]
        )
        return bool(cursor.fetchone()[0])
