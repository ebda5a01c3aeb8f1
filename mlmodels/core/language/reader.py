"""Reads captions: from text to the tags it mentions, with evidence, and the terms the head learns from.

All of it is found by the components of the pipeline; the reader batches, and collects what they left on each `Doc`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from spacy.language import Language

from mlmodels.core.language.pipeline import build_pipeline, with_vocabulary
from mlmodels.core.types import CaptionReading, TagTerm

SURROGATES = re.compile("[\ud800-\udfff]")  # half characters, which spaCy cannot encode
ZONE = 4096, 1_000_000  # most captions and characters whose new words are kept in memory at a time


class CaptionReader:
    """Reads captions against one vocabulary; build a new one when the vocabulary changes.

    Args:
        tags: the active tags.
        pipeline: what `build_pipeline` returned, which is left as it is; the embedded English one when left out.

    Example:
        >>> reader = CaptionReader([TagTerm(7, "dog"), TagTerm(8, "running")])
        >>> reading, = reader.read(["A puppy runs."])
        >>> [(match.tag_id, match.evidence.rule, match.evidence.text) for match in reading.matches]
        [(8, 'lemma', 'runs'), (7, 'hypernym', 'puppy')]
    """

    def __init__(self, tags: Sequence[TagTerm], *, pipeline: Language | None = None) -> None:
        self._pipeline = with_vocabulary(pipeline or build_pipeline(), tags)

    @property
    def meta(self) -> dict[str, Any]:
        """What spaCy says of the pipeline: its language, name and version."""
        return dict(self._pipeline.meta)

    def read(self, captions: Sequence[str]) -> list[CaptionReading]:
        """Reads captions in batches and keeps their order.

        Args:
            captions: any text, empty included; time grows with the length alone.

        Returns:
            One reading a caption, its matches ordered by falling score, then by tag id.
        """
        readings: list[CaptionReading] = []
        for batch in batches(captions):
            with self._pipeline.memory_zone():  # else each new word stays in the vocabulary for ever
                readings.extend(
                    CaptionReading(doc._.tag_matches, doc._.terms) for doc in self._pipeline.pipe(batch)
                )
        return readings


def batches(captions: Sequence[str]) -> Iterator[list[str]]:
    """Captions in order, cut into lists of bounded size; half characters become U+FFFD."""
    most, most_characters = ZONE
    batch: list[str] = []
    characters = 0
    for caption in captions:
        batch.append(SURROGATES.sub("\ufffd", caption))
        characters += len(caption)
        if len(batch) == most or characters >= most_characters:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
