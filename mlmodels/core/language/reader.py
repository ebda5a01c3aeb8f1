"""Reads captions: from text to the tags it mentions, with evidence, and the terms the head learns from."""

from collections.abc import Iterable, Sequence

from spacy.language import Language

from mlmodels.core.language.matching import Mention, TermTrie
from mlmodels.core.language.meaning import HypernymIndex
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.vocabulary import HYPHENS, Word, words_of
from mlmodels.core.types import CaptionMatch, CaptionReading, Evidence, TagTerm

CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "NUM"})
BATCH_SIZE = 256


class CaptionReader:
    """Reads captions against one vocabulary; build a new one when the vocabulary changes.

    Args:
        tags: the active tags.
        pipeline: what `build_pipeline` returned; the embedded English one when left out.

    Example:
        >>> reader = CaptionReader([TagTerm(7, "dog"), TagTerm(8, "running")])
        >>> reading, = reader.read(["A puppy runs."])
        >>> [(match.tag_id, match.evidence.rule, match.evidence.text) for match in reading.matches]
        [(8, 'lemma', 'runs'), (7, 'hypernym', 'puppy')]
    """

    def __init__(self, tags: Sequence[TagTerm], *, pipeline: Language | None = None) -> None:
        self._pipeline = pipeline or build_pipeline()
        self._trie = TermTrie(tags, self._forms)
        self._meaning = HypernymIndex(tags, self._forms)

    def _forms(self, text: str) -> list[str]:
        doc = self._pipeline.tokenizer(text)
        return [token.text for token in doc if token.text not in HYPHENS and not token.is_space]

    def read(self, captions: Sequence[str]) -> list[CaptionReading]:
        """Reads captions in batches and keeps their order.

        Args:
            captions: any text, empty included; time grows with the length alone.

        Returns:
            One reading a caption, its matches ordered by falling score, then by tag id.
        """
        readings: list[CaptionReading] = []
        for start in range(0, len(captions), BATCH_SIZE):
            with self._pipeline.memory_zone():  # else each new word stays in the vocabulary for ever
                batch = captions[start : start + BATCH_SIZE]
                for doc, caption in zip(self._pipeline.pipe(batch), batch, strict=True):
                    readings.append(self._read_words(words_of(doc), caption))
        return readings

    def _read_words(self, words: Sequence[Word], caption: str) -> CaptionReading:
        mentions = [*self._trie.find(words), *self._meaning.find(words)]
        best = best_per_tag(mentions)
        matches = [
            CaptionMatch(mention.tag_id, mention.score, evidence_of(mention, words, caption))
            for mention in best
        ]
        return CaptionReading(
            matches=tuple(sorted(matches, key=lambda match: (-match.score, match.tag_id))),
            terms=tuple(word.lemma for word in words if word.pos in CONTENT),
        )


def best_per_tag(mentions: Iterable[Mention]) -> list[Mention]:
    """The mention of each tag with the highest score; of equals the first in the caption."""
    best: dict[int, Mention] = {}
    for mention in mentions:
        known = best.get(mention.tag_id)
        if known is None or mention.score > known.score:
            best[mention.tag_id] = mention
    return list(best.values())


def evidence_of(mention: Mention, words: Sequence[Word], caption: str) -> Evidence:
    """A mention as offsets and text of the caption."""
    start, end = words[mention.first].start, words[mention.last - 1].end
    return Evidence(start=start, end=end, text=caption[start:end], rule=mention.rule)
