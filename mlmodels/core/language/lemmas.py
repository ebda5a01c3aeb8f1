"""Base forms of words whose part of speech is known: WordNet's, and plain endings for what it lacks."""

from functools import lru_cache

from mlmodels.core.language import wordnet

LETTERS = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}


@lru_cache(maxsize=32768)
def lemma_of(word: str, pos: str) -> str:
    """Base form of a word in lower case as the given universal part of speech.

    WordNet's morphy first; for words it lacks, plain endings are taken off ("selfies" -> "selfie").

    Example:
        >>> lemma_of("women", "NOUN"), lemma_of("sits", "VERB"), lemma_of("selfies", "NOUN")
        ('woman', 'sit', 'selfie')
    """
    letter = LETTERS.get(pos)
    if letter is None:
        return word
    return wordnet.morphy(word, letter) or fallback_lemma(word, pos)


def fallback_lemma(word: str, pos: str) -> str:
    """Base form of a word that WordNet lacks."""
    if pos == "NOUN" and len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 6 and word[-4] in "tdn" else word[:-1]
    if pos == "VERB" and len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    if pos == "VERB" and len(word) > 5 and word.endswith("ing"):
        stem = word[:-3]
        return wordnet.undoubled(stem) or stem
    if pos == "VERB" and len(word) > 4 and word.endswith("ed"):
        stem = word[:-2]
        return wordnet.undoubled(stem) or stem
    return word
