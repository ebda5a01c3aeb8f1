"""The text encoder of this installation, loaded once in a worker process; none unless the settings name one.

An encoder that cannot be loaded is off and said so in the log: captions are read without it.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlmodels.core.language.encoder import TextEncoder

logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]

# Vectors of so many words of vocabularies stay in memory; a new tag then costs its own words alone.
WORDS_KEPT = 50_000
_words: dict[tuple[str, str], Floats] = {}


def is_on() -> bool:
    """Whether the settings name an encoder; loads nothing."""
    return bool(settings.TEXT_ENCODER)


def load() -> "TextEncoder | None":
    """The encoder, ready to encode. Only workers call this: it loads torch."""
    return _load(settings.TEXT_ENCODER) if is_on() else None


def key() -> str:
    """Names the encoder with its weights; empty without one."""
    encoder = load()
    return "" if encoder is None else encoder.key


def encode_words(sentences: Sequence[str]) -> Floats:
    """Vectors float32 [N, T] of sentences that name tags, those of known ones from memory. Needs an encoder."""
    encoder = load()
    assert encoder is not None
    new = [sentence for sentence in dict.fromkeys(sentences) if (encoder.key, sentence) not in _words]
    if len(_words) + len(new) > WORDS_KEPT:
        _words.clear()
        new = list(dict.fromkeys(sentences))
    for sentence, vector in zip(new, encoder.encode(new), strict=True):
        _words[encoder.key, sentence] = vector
    return np.stack([_words[encoder.key, sentence] for sentence in sentences])


@lru_cache(maxsize=1)
def _load(source: str) -> "TextEncoder | None":
    from mlmodels.core.errors import TextEncoderError
    from mlmodels.core.language.encoder import load_encoder

    try:
        return load_encoder(source)
    except TextEncoderError as error:
        logger.error("TAGGER_TEXT_ENCODER: %s; captions are read without it until a restart", error)
        return None
