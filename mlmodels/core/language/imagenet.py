"""Which of the backbone's 1,000 ImageNet classes speak for which tag, through WordNet's hypernyms.

Only names and numbers are handled here; the probabilities come from `core.vision`.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language import wordnet
from mlmodels.core.language.vocabulary import term_lemma
from mlmodels.core.language.words import fold
from mlmodels.core.types import TagTerm

CLASSES = 1000
SENSES = 2


@cache
def class_synsets() -> tuple[str, ...]:
    """Synset of each ImageNet-1k class, in the order of the backbone's outputs.

    Read from the list that timm's `ImageNetInfo` reads; timm itself is not imported, since that loads torch.

    Raises:
        LanguageDataError: timm is not installed, or its list has moved.

    Example:
        >>> class_synsets()[207]  # golden retriever
        'n02099601'
    """
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        raise LanguageDataError("expected the package timm, found none: install requirements.txt")
    path = Path(spec.origin).parent / "data" / "_info" / "imagenet_synsets.txt"
    try:
        synsets = tuple(path.read_text(encoding="utf-8").split())
    except OSError as error:
        raise LanguageDataError(
            f"expected timm's list of ImageNet synsets at {path}, got {error}: install the pinned timm"
        ) from error
    if len(synsets) != CLASSES:
        raise LanguageDataError(
            f"expected {CLASSES} synsets in {path}, got {len(synsets)}: install the pinned timm"
        )
    return synsets


def noun_synsets(text: str) -> set[str]:
    """The first two noun senses of a tag's name or alias; a plural or compound is brought to its base form."""
    forms = fold(text).replace("-", " ").split()
    if not forms:
        return set()
    joined = "_".join((*forms[:-1], term_lemma(forms[-1], "n")))
    return set(wordnet.synsets(joined, "n")[:SENSES])


def map_imagenet(tags: Sequence[TagTerm]) -> np.ndarray:
    """Maps ImageNet classes to tags: a class counts for a tag whose synset is the class's or above it.

    A tag's prior from the pixels is then `class_probabilities @ map_imagenet(tags)`: [N, 1000] @ [1000, K].

    Args:
        tags: K tags; names and aliases are looked up as nouns.

    Returns:
        float32 [1000, K] of 0 and 1; a column of zeros for a tag out of ImageNet's reach.

    Raises:
        LanguageDataError: timm's list of classes cannot be read.

    Example:
        >>> matrix = map_imagenet([TagTerm(1, "dog"), TagTerm(2, "music")])
        >>> matrix[207].tolist()
        [1.0, 0.0]
    """
    columns: dict[str, list[int]] = defaultdict(list)
    for column, tag in enumerate(tags):
        for synset in set().union(*(noun_synsets(text) for text in (tag.name, *tag.aliases))):
            columns[synset].append(column)
    matrix = np.zeros((CLASSES, len(tags)), np.float32)  # [C, K]
    for row, synset in enumerate(class_synsets()):
        for ancestor in wordnet.ancestors(synset):
            matrix[row, columns.get(ancestor, [])] = 1.0
    return matrix
