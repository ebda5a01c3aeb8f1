"""The spaCy pipeline that reads captions: which components it has, and its tokenizer.

The default needs no download. A pipeline that the caller names keeps its own tagger, lemmatizer, parser and
recogniser of names; the rules only add what it lacks. The components themselves are in `components.py`.
"""

import re
from collections.abc import Callable, Sequence
from typing import cast

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language.components import VocabularyMatcher  # the import registers all of them with spaCy
from mlmodels.core.language.vocabulary import grammar_of
from mlmodels.core.types import TagTerm

LONGEST_RUN = 80  # characters; spaCy's affix rules cost the square of a run without spaces
# Scripts written without spaces are cut into characters, so that a tag of such a script is found in a sentence.
SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
CUT = re.compile(rf"[{SPACELESS}]|\S{{{LONGEST_RUN + 1}}}")
PIECE = re.compile(rf"\s+|[{SPACELESS}]|[^\s{SPACELESS}]{{1,{LONGEST_RUN}}}")
ANY_LANGUAGE = "xx"
SEGMENTED = frozenset({"ja", "ko", "th", "vi"})  # read as any language while those packages are not installed


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


def build_pipeline(
    language: str = "en", *, name: str | None = None, tags: Sequence[TagTerm] = ()
) -> Language:
    """Builds the pipeline for captions.

    Args:
        language: code of the language, used when no pipeline is named. The rules know English; for other languages
            captions are cut into words, and tags are found as they are written.
        name: an installed spaCy package or a folder that `Language.to_disk` wrote; its components take over.
        tags: a vocabulary to look for (see `with_vocabulary`).

    Returns:
        A pipeline whose docs carry parts of speech, base forms, `doc.spans["noun_phrases"]`, `doc.ents`,
        `doc.spans["negated"]` beside `doc.spans["negation_cues"]`, and with tags `doc._.tag_matches`, `doc._.terms`.

    Raises:
        LanguageDataError: the named pipeline cannot be loaded, or spaCy knows no such language.

    Example:
        >>> doc = build_pipeline(tags=[TagTerm(1, "woman")])("Two women in Paris ride a red bike without lights")
        >>> [phrase.text for phrase in doc.spans["noun_phrases"]], doc[1].lemma_
        (['Two women', 'Paris', 'a red bike', 'lights'], 'woman')
        >>> [(entity.text, entity.label_) for entity in doc.ents], doc.spans["negated"][0].text
        ([('Paris', 'PLACE')], 'lights')
        >>> doc._.tag_matches[0].evidence.text
        'women'
    """
    nlp = load_named(name) if name else load_blank(language)
    nlp.tokenizer = BoundedTokenizer(nlp.tokenizer, nlp.vocab)
    provided = {assigned for pipe in nlp.pipe_names for assigned in nlp.get_pipe_meta(pipe).assigns}
    english = grammar_of(str(nlp.lang)).knows_english
    if english and "token.pos" not in provided:
        nlp.add_pipe("tagger_parts")
    if english and "token.lemma" not in provided:
        nlp.add_pipe("tagger_lemmas")
    nlp.add_pipe("tagger_phrases")
    if "doc.ents" in provided:
        nlp.add_pipe("tagger_entity_labels")
    elif english:
        nlp.add_pipe("tagger_entities")
    if english:
        nlp.add_pipe("tagger_negation")
    return with_vocabulary(nlp, tags) if tags else nlp


def with_vocabulary(nlp: Language, tags: Sequence[TagTerm]) -> Language:
    """The same pipeline, its components shared, that also finds these tags; the one passed in stays as it is."""
    own = type(nlp)(nlp.vocab, meta=nlp.meta, create_tokenizer=lambda _: nlp.tokenizer)
    for pipe in nlp.pipe_names:
        own.add_pipe(pipe, source=nlp)
    cast(VocabularyMatcher, own.add_pipe("tagger_vocabulary")).set_tags(tags)
    return own


def load_blank(language: str) -> Language:
    """A pipeline that only cuts text into words; a region ("pt-BR") is left off."""
    code = re.split("[-_]", language)[0].lower()
    try:
        return spacy.blank(code)
    except ImportError as error:
        if code in SEGMENTED:  # spaCy knows it, but its tokenizer is another package's
            return spacy.blank(ANY_LANGUAGE)
        raise LanguageDataError(
            f"expected a language that spaCy knows, such as en, de or zh, got {language!r}: correct the code"
        ) from error


def load_named(name: str) -> Language:
    """Loads a spaCy pipeline by package name or folder."""
    try:
        return spacy.load(name)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise LanguageDataError(
            f"expected an installed spaCy pipeline or its folder, got {name!r} ({error}): "
            "install it, correct the name, or leave it unset for the embedded pipeline"
        ) from error
