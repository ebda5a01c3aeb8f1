"""The spaCy components of Tagger, in the order in which they run; each leaves its evidence on the `Doc`.

The rules themselves are elsewhere and know no spaCy; which components a pipeline needs is decided in `pipeline.py`.
"""

from collections.abc import Sequence

from spacy.language import Language
from spacy.parts_of_speech import IDS as PART_NUMBERS
from spacy.tokens import Doc, Span

from mlmodels.core.language.entities import find_entities, may_name
from mlmodels.core.language.evidence import Cue, TagFinder, terms_of
from mlmodels.core.language.lemmas import lemma_of
from mlmodels.core.language.negation import find_negations
from mlmodels.core.language.parts import tag_words
from mlmodels.core.language.phrases import noun_phrases
from mlmodels.core.language.vocabulary import grammar_of
from mlmodels.core.language.words import words_of
from mlmodels.core.types import TagTerm

PHRASES, NEGATED, CUES = "noun_phrases", "negated", "negation_cues"
WORDS = "tagger_words"  # handed from the negation to the vocabulary, so that they are made once
# Tags of the Penn treebank by how they begin, for a trained tagger whose pipeline maps them to no part of speech.
PENN_PARTS = {
    "NNP": "PROPN", "NN": "NOUN", "VB": "VERB", "MD": "AUX", "JJ": "ADJ", "RB": "ADV", "RP": "ADP", "IN": "ADP",
    "DT": "DET", "PDT": "DET", "WDT": "DET", "PRP$": "DET", "WP$": "DET", "PRP": "PRON", "WP": "PRON", "EX": "PRON",
    "CC": "CCONJ", "CD": "NUM", "TO": "PART", "POS": "PART", "UH": "INTJ", "SYM": "SYM", "FW": "X", "LS": "X",
}  # fmt: skip
# Labels of trained pipelines (OntoNotes, CoNLL, WikiNER) as ours; a label that nobody foresaw is OTHER.
LABELS = {
    "PERSON": "PERSON", "PER": "PERSON", "PLACE": "PLACE", "GPE": "PLACE", "LOC": "PLACE", "FAC": "PLACE",
    "ORGANISATION": "ORGANISATION", "ORG": "ORGANISATION", "WORK": "WORK", "WORK_OF_ART": "WORK", "LAW": "WORK",
    "EVENT": "EVENT", "EVT": "EVENT",
}  # fmt: skip
NO_NAMES = frozenset({"DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL"})


@Language.component("tagger_parts", assigns=["token.pos"])
def tag_parts(doc: Doc) -> Doc:
    """Parts of speech of the tokens that have none: from a trained tagger's tag, else by rule."""
    ruled = tag_words([token.text for token in doc])
    untouched = not doc.has_annotation("TAG") and not doc.has_annotation("POS")
    for token, pos in zip(doc, ruled, strict=True):
        if untouched:
            token.pos = PART_NUMBERS[pos]
        elif not token.pos:
            token.pos_ = part_of_tag(token.tag_) or pos
    return doc


def part_of_tag(tag: str) -> str:
    """Universal part of a Penn tag, "" for none that is known.

    Example:
        >>> part_of_tag("NNS"), part_of_tag("VBG"), part_of_tag("")
        ('NOUN', 'VERB', '')
    """
    return (
        next((PENN_PARTS[tag[:n]] for n in range(len(tag), 1, -1) if tag[:n] in PENN_PARTS), "")
        if tag
        else ""
    )


@Language.component("tagger_lemmas", requires=["token.pos"], assigns=["token.lemma"])
def lemmatize(doc: Doc) -> Doc:
    """Base forms by WordNet, for tokens that no lemmatizer and no attribute ruler gave one."""
    for token in doc:
        if not token.lemma:
            token.lemma_ = lemma_of(token.lower_, token.pos_)
    return doc


@Language.component("tagger_phrases", requires=["token.pos"], assigns=["doc.spans"])
def find_phrases(doc: Doc) -> Doc:
    """Noun phrases in `doc.spans["noun_phrases"]`: the parser's where there is one, in English else by rule."""
    spans: Sequence[Span] = ()
    if doc.has_annotation("DEP"):
        spans = list(doc.noun_chunks) if doc.vocab.get_noun_chunks else ()
    elif grammar_of(doc.vocab.lang).knows_english:
        spans = [Span(doc, start, end) for start, end in noun_phrases([token.pos_ for token in doc])]
    doc.spans[PHRASES] = spans
    return doc


@Language.component("tagger_entities", requires=["token.pos"], assigns=["doc.ents"])
def name_entities(doc: Doc) -> Doc:
    """Names by rule in `doc.ents`, for a pipeline without a recogniser."""
    words = [token.text for token in doc]
    found = find_entities(words, [token.pos_ for token in doc]) if may_name(words) else []
    if found:
        doc.ents = [Span(doc, start, end, label=label) for start, end, label in found]
    return doc


@Language.component("tagger_entity_labels", requires=["doc.ents"], assigns=["doc.ents"])
def map_entities(doc: Doc) -> Doc:
    """The names that a trained recogniser found, under Tagger's labels; its dates and amounts are no names."""
    doc.ents = [
        Span(doc, entity.start, entity.end, label=LABELS.get(entity.label_, "OTHER"))
        for entity in doc.ents
        if entity.label_ not in NO_NAMES
    ]
    return doc


@Language.component("tagger_negation", requires=["token.pos", "token.lemma"], assigns=["doc.spans"])
def mark_negated(doc: Doc) -> Doc:
    """What the text says is absent, in `doc.spans["negated"]`, and at the same place the cue in "negation_cues"."""
    said = doc.user_data[WORDS] = words_of(doc)
    found, tokens = find_negations(said.words), said.tokens
    doc.spans[NEGATED] = [Span(doc, tokens[one.first], tokens[one.last - 1] + 1) for one in found]
    doc.spans[CUES] = [Span(doc, tokens[one.cue_first], tokens[one.cue_last - 1] + 1) for one in found]
    return doc


class VocabularyMatcher:
    """The component that finds the tags of a vocabulary in a text; `set_tags` gives it the vocabulary.

    It leaves `doc._.tag_matches` (a `CaptionMatch` a tag, best first) and `doc._.terms` (base forms of content words).
    """

    def __init__(self, nlp: Language) -> None:
        self._tokenize = nlp.tokenizer
        self._grammar = grammar_of(str(nlp.lang))
        self.set_tags(())

    def set_tags(self, tags: Sequence[TagTerm]) -> None:
        """Replaces the vocabulary."""
        self._finder = TagFinder(tags, self._tokenize, self._grammar)

    def __call__(self, doc: Doc) -> Doc:
        said, negated = doc.user_data.pop(WORDS, None) or words_of(doc), cues_of(doc)
        doc._.tag_matches = self._finder.matches(said, negated, doc.text)
        doc._.terms = terms_of(said, negated)
        return doc


def cues_of(doc: Doc) -> dict[int, Cue]:
    """For each negated token, by its index, the characters of the cue that reaches it."""
    if not doc.spans.get(NEGATED):
        return {}
    return {
        index: (cue.start_char, cue.end_char)
        for reached, cue in zip(doc.spans[NEGATED], doc.spans[CUES], strict=True)
        for index in range(reached.start, reached.end)
    }


@Language.factory("tagger_vocabulary", assigns=["doc._.tag_matches", "doc._.terms"])
def make_vocabulary_matcher(nlp: Language, name: str) -> VocabularyMatcher:
    """What spaCy calls to add the component."""
    return VocabularyMatcher(nlp)


Doc.set_extension("tag_matches", default=(), force=True)
Doc.set_extension("terms", default=(), force=True)
