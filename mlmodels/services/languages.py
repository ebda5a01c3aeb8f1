"""The reader of captions and the map of ImageNet classes for a vocabulary, kept while it is unchanged."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs

if TYPE_CHECKING:
    from mlmodels.core.language.reader import CaptionReader
    from mlmodels.core.types import TagTerm


@dataclass(frozen=True, eq=False)
class Language:
    """Turns captions and ImageNet probabilities into scores of the active tags, in the order of `terms`."""

    terms: "tuple[TagTerm, ...]"
    reader: "CaptionReader"
    class_map: NDArray[np.float32]  # [1000, K]

    @property
    def tag_ids(self) -> tuple[int, ...]:
        return tuple(term.id for term in self.terms)


def of_project(project_id: int) -> Language:
    """The language of the vocabulary as it is now; two queries when nothing has changed."""
    from mlmodels.core.types import TagTerm

    tags = model_inputs.active_tags(project_id)
    return _build(tuple(TagTerm(tag.tag_id, tag.name, tag.aliases) for tag in tags))


@lru_cache(maxsize=8)
def _build(terms: "tuple[TagTerm, ...]") -> Language:
    from mlmodels.core.language.imagenet import map_imagenet
    from mlmodels.core.language.reader import CaptionReader

    class_map = np.asarray(map_imagenet(list(terms)), dtype=np.float32).reshape(1000, len(terms))
    return Language(terms=terms, reader=CaptionReader(list(terms)), class_map=class_map)
