"""The spaCy pipeline that reads captions: tokens, parts of speech, noun phrases, base forms, negation.

The default needs no download. A pipeline that the caller names keeps its own tagger, lemmatizer and parser;
the rules here only add what it lacks. What a caption means for the vocabulary is not here (`matching.py`).
"""

import re
from collections.abc import Callable

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language import parts

LONGEST_RUN = 80  # characters; spaCy's affix rules cost the square of a run without spaces
# Scripts written without spaces are cut into characters, so that a tag of such a script is found in a sentence.
SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
CUT = re.compile(rf"[{SPACELESS}]|\S{{{LONGEST_RUN + 1}}}")
PIECE = re.compile(rf"\s+|[{SPACELESS}]|[^\s{SPACELESS}]{{1,{LONGEST_RUN}}}")
PHRASES = "noun_phrases"


class BoundedTokenizer:
    """spaCy's tokenizer, except that long runs without spaces are cut: time grows with length only."""

    def __init__(self, tokenizer: Callable[[str], Doc], vocab: Vocab) -> None:
        self._tokenizer = tokenizer
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        if CUT.search(text) is None:
            return self._tokenizer(text)
        words = [token.text for piece in PIECE.findall(text) for token in self._tokenizer(piece)]
        return Doc(self.vocab, words=words, spaces=[False] * len(words))

    def __getattr__(self, name: str) -> object:
        return getattr(self._tokenizer, name)


@Language.component("tagger_parts", assigns=["token.pos"])
def tag_parts(doc: Doc) -> Doc:
    """Parts of speech by rule, for a pipeline without a tagger."""
    for token, pos in zip(doc, parts.tag_words([token.text for token in doc]), strict=True):
        token.pos_ = pos
    return doc


@Language.component("tagger_lemmas", requires=["token.pos"], assigns=["token.lemma"])
def lemmatize(doc: Doc) -> Doc:
    """Base forms by WordNet, for a pipeline without a lemmatizer."""
    for token in doc:
        if not token.lemma_:  # what an attribute ruler set stands
            token.lemma_ = parts.lemma_of(token.lower_, token.pos_)
    return doc


@Language.component("tagger_phrases", requires=["token.pos"], assigns=["doc.spans"])
def find_phrases(doc: Doc) -> Doc:
    """Noun phrases: the parser's where there is one, else by rule; kept in `doc.spans["noun_phrases"]`."""
    if doc.has_annotation("DEP"):
        doc.spans[PHRASES] = list(doc.noun_chunks)
    else:
        spans = parts.noun_phrases([token.pos_ for token in doc])
        doc.spans[PHRASES] = [Span(doc, start, end) for start, end in spans]
    return doc


def build_pipeline(language: str = "en", *, name: str | None = None) -> Language:
    """Builds the pipeline for captions.

    Args:
        language: spaCy's code of the language, used when no pipeline is named; the rules know English.
        name: an installed spaCy package or a folder that `Language.to_disk` wrote; its components take over.

    Returns:
        A pipeline whose docs carry parts of speech, base forms and `doc.spans["noun_phrases"]`.

    Raises:
        LanguageDataError: the named pipeline cannot be loaded.

    Example:
        >>> doc = build_pipeline()("Two women ride a red bike")
        >>> [phrase.text for phrase in doc.spans["noun_phrases"]], doc[1].lemma_
        (['Two women', 'a red bike'], 'woman')
    """
    nlp = load_named(name) if name else spacy.blank(language)
    nlp.tokenizer = BoundedTokenizer(nlp.tokenizer, nlp.vocab)
    provided = {assigned for pipe in nlp.pipe_names for assigned in nlp.get_pipe_meta(pipe).assigns}
    if "token.pos" not in provided and "token.tag" not in provided:
        nlp.add_pipe("tagger_parts")
    if "token.lemma" not in provided:
        nlp.add_pipe("tagger_lemmas")
    nlp.add_pipe("tagger_phrases")
    return nlp


def load_named(name: str) -> Language:
    """Loads a spaCy pipeline by package name or folder."""
    try:
        return spacy.load(name)
    except (OSError, ValueError) as error:
        raise LanguageDataError(
            f"expected an installed spaCy pipeline or its folder, got {name!r} ({error}): "
            "install it, correct the name, or leave it unset for the embedded pipeline"
        ) from error
