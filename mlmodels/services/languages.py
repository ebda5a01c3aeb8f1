"""The reader of captions and the map of ImageNet classes for a vocabulary, kept while it is unchanged.

Here it is decided which spaCy pipeline reads a project: by its caption language, and by TAGGER_SPACY_MODEL.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from annotations.selectors import model_inputs

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

    from mlmodels.core.language.reader import CaptionReader
    from mlmodels.core.types import CaptionReading, TagTerm


DEFAULT_LANGUAGE = "en"
# Captions of so many images stay read; a caption takes about a millisecond.
READINGS_KEPT = 20_000


@dataclass(frozen=True, eq=False)
class Language:
    """Turns captions and ImageNet probabilities into scores of the active tags, in the order of `tag_ids`."""

    terms: "tuple[TagTerm, ...]"
    tag_ids: tuple[int, ...]
    reader: "CaptionReader"
    class_map: NDArray[np.float32]  # [1000, K]
    _readings: "dict[str, CaptionReading]" = field(default_factory=dict, repr=False)

    @property
    def is_english(self) -> bool:
        """Whether captions are read as English."""
        return bool(self.reader.meta["lang"] == DEFAULT_LANGUAGE)

    def read(self, captions: Sequence[str]) -> "tuple[CaptionReading, ...]":
        """The readings in order; those of known captions from memory."""
        new = list(dict.fromkeys(caption for caption in captions if caption not in self._readings))
        fresh = dict(zip(new, self.reader.read(new), strict=True)) if new else {}
        known = {caption: self._readings.get(caption) or fresh[caption] for caption in captions}
        if len(self._readings) + len(fresh) > READINGS_KEPT:
            self._readings.clear()
        if len(fresh) <= READINGS_KEPT:
            self._readings.update(fresh)
        return tuple(known[caption] for caption in captions)


def of_project(project_id: int) -> Language:
    """The language of the vocabulary as it is now; three queries when nothing has changed.

    Raises:
        LanguageDataError: TAGGER_SPACY_MODEL cannot be loaded, or the project's caption language is unknown.
    """
    from mlmodels.core.types import TagTerm

    tags = model_inputs.active_tags(project_id)
    project = model_inputs.project(project_id)
    language = project.caption_language if project else DEFAULT_LANGUAGE
    terms = tuple(TagTerm(tag.tag_id, tag.name, tag.aliases) for tag in tags)
    return _build(terms, language, settings.SPACY_MODEL)


def pipeline(language: str = DEFAULT_LANGUAGE) -> "Pipeline":
    """The pipeline that reads captions in a language: the one of TAGGER_SPACY_MODEL if it is for that language.

    Raises:
        LanguageDataError: that one cannot be loaded, or spaCy knows no such language.
    """
    return _pipeline(language, settings.SPACY_MODEL)


def _pipeline(language: str, name: str) -> "Pipeline":
    named = _built("", name) if name else None
    return named if named and named.lang == language else _built(language, "")


@lru_cache(maxsize=4)
def _built(language: str, name: str) -> "Pipeline":
    from mlmodels.core.language.pipeline import build_pipeline

    return build_pipeline(name=name) if name else build_pipeline(language)


@lru_cache(maxsize=4)
def _build(terms: "tuple[TagTerm, ...]", language: str, pipeline_name: str) -> Language:
    from mlmodels.core.language.imagenet import map_imagenet
    from mlmodels.core.language.reader import CaptionReader

    class_map = np.asarray(map_imagenet(list(terms)), dtype=np.float32).reshape(1000, len(terms))
    return Language(
        terms=terms,
        tag_ids=tuple(term.id for term in terms),
        reader=CaptionReader(list(terms), pipeline=_pipeline(language, pipeline_name)),
        class_map=class_map,
    )
