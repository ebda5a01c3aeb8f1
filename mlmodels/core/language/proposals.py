"""Proposed tags: what captions name often and the vocabulary does not have. People decide; nothing is applied here.

Other words for tags that are there already are proposed in `synonyms.py`.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mlmodels.core.language import wordnet
from mlmodels.core.language.census import Census, Form, Place
from mlmodels.core.language.known import KnownWords
from mlmodels.core.language.occurrences import ACTION, ENTITY
from mlmodels.core.language.vocabulary import term_part
from mlmodels.core.types import TagTerm

PROPOSED_AT_MOST = 200
FEWEST_CAPTIONS, FEWEST_SHARE = 3, 0.001
# A compound is proposed where its words meet so much oftener than chance. Of compounds in 2,484 captions these bounds
# keep "tennis ball" and "swimming pool", and leave out "tan dog" and "little girl".
NOUN_LIFT, ADJECTIVE_LIFT = 5.0, 10.0
# A word that nearly always stands in one compound ("hydrant") is no proposal beside it.
SWALLOWED = 0.8
# Of a noun's senses those count that WordNet met at least a third as often as its first.
COMMON_SENSE = 1 / 3
# WordNet's broad kinds (lexnames(5WN)) that a picture can show, and those that speak of how, when and how many.
VISIBLE_NOUNS = frozenset({3, 4, 5, 6, 8, 11, 13, 14, 15, 17, 18, 19, 20, 27})
VISIBLE_VERBS = frozenset({29, 33, 34, 35, 38, 43})
# Words that speak of the picture itself or of a place, share or number in it: frequent in captions of every subject,
# so that a yes to them would tell images apart by how they were described. Verbs here only join things.
EMPTY_NOUN_WORDS = (
    "photo photograph picture image shot snapshot selfie portrait view scene camera background foreground front back "
    "side top bottom middle center centre end edge corner left right inside outside upside air midair distance area "
    "place spot location position way direction group couple pair bunch lot number row line pile set collection "
    "variety kind type sort piece part bit thing object item stuff day time moment one other each whilst"
)
EMPTY_VERB_WORDS = (
    "take make do get go come put use let keep have show turn set wear dress hold carry cover surround look try bring "
    "give leave stay move start stop prepare attach fill contain"
)
EMPTY_NOUNS, EMPTY_VERBS = frozenset(EMPTY_NOUN_WORDS.split()), frozenset(EMPTY_VERB_WORDS.split())


@dataclass(frozen=True)
class ProposedTag:
    """A word or phrase that could become a tag, with what speaks for it.

    `share` is the part of all captions that name it; `lift` says how much oftener than by chance the words of a
    compound meet, and is None for a single word. `places` are examples as (image id, start, end).
    """

    text: str
    kind: str
    captions: int
    share: float
    lift: float | None
    places: tuple[Place, ...]


def propose_tags(
    census: Census,
    vocabulary: Sequence[TagTerm],
    *,
    but_not: Collection[str] = (),
    limit: int = PROPOSED_AT_MOST,
) -> list[ProposedTag]:
    """The most frequent things, names and actions of the captions that are no tag yet.

    Actions are proposed only to a vocabulary that has one: where tags are things, verbs would be noise.

    Args:
        census: counts over the captions.
        vocabulary: every tag, retired ones too, since a retired word is no news.
        but_not: texts that are spoken for: proposed synonyms, and what somebody has dismissed.
        limit: how many at most.

    Returns:
        Most captions first, then by alphabet: the same counts give the same list.

    Example:
        >>> from mlmodels.core.language.pipeline import build_pipeline
        >>> from mlmodels.core.language.occurrences import occurrences
        >>> census, captions = Census(), ["A dog and a kite", "Two kites", "A kite over a dog"]
        >>> for number, doc in enumerate(build_pipeline().pipe(captions)):
        ...     census.add(number, occurrences(doc))
        >>> [(tag.text, tag.captions) for tag in propose_tags(census, [TagTerm(1, "dog")])]
        [('kite', 3)]
    """
    known = KnownWords(vocabulary)
    wants_actions = any(
        " " not in tag.name.strip() and term_part(tag.name.casefold()) == "v" for tag in vocabulary
    )
    fewest = fewest_captions(census)
    kept = {
        key: form
        for key, form in census.forms.items()
        if form.captions >= fewest
        and form.text not in but_not
        and (wants_actions or form.kind != ACTION)
        and is_worth_a_tag(census, form)
        and not known.covers(form)
    }
    swallowed = _swallowed(kept)
    chosen = sorted(
        (form for key, form in kept.items() if key not in swallowed),
        key=lambda form: (-form.captions, form.text),
    )
    unique = {
        form.text: form for form in reversed(chosen)
    }  # "jump" and "jumping": the more frequent form stands
    return [
        ProposedTag(
            form.text,
            form.kind,
            form.captions,
            form.captions / census.captions,
            lift(census, form),
            tuple(form.places),
        )
        for form in chosen
        if unique[form.text] is form
    ][:limit]


def fewest_captions(census: Census) -> int:
    """In how many captions something has to stand to be frequent."""
    return max(FEWEST_CAPTIONS, math.ceil(FEWEST_SHARE * census.captions))


def lift(census: Census, form: Form) -> float | None:
    """Captions that name the compound, as a multiple of what chance would give its words; None for one word.

    Example:
        >>> census = Census(100, 0, {}, {"fire": 5, "truck": 10})
        >>> lift(census, Form(4, "phrase", "fire truck", ("fire", "truck"), []))
        8.0
    """
    if len(form.parts) < 2 or form.kind == ENTITY:
        return None
    chance = math.prod(max(census.parts.get(part, 0), form.captions) / census.captions for part in form.parts)
    return round(form.captions / (chance * census.captions), 3)


def is_worth_a_tag(census: Census, form: Form) -> bool:
    """Whether the form is something that a picture can show, and a compound more than a chance meeting."""
    if form.kind == ENTITY:
        return True
    head = form.parts[-1]
    if form.kind == ACTION:
        senses = wordnet.synsets(head, "v")
        return head not in EMPTY_VERBS and bool(senses) and wordnet.lexfile(senses[0]) in VISIBLE_VERBS
    times = lift(census, form)
    if times is None:
        return len(head) > 1 and head not in EMPTY_NOUNS and not is_adjective(head) and is_visible(head)
    described = any(is_adjective(part) for part in form.parts[:-1])
    if head in EMPTY_NOUNS and (described or not wordnet.senses("_".join(form.parts), "n")):
        return False
    return times >= (ADJECTIVE_LIFT if described else NOUN_LIFT) and not is_adjective(head)


def is_adjective(word: str) -> bool:
    """Whether a word is an adjective first, as colours and sizes are: "a black and a white dog".

    Example:
        >>> is_adjective("black"), is_adjective("little"), is_adjective("fire"), is_adjective("zzz")
        (True, True, False, False)
    """
    return wordnet.count(word, "a") > wordnet.count(word, "n")


def is_visible(noun: str) -> bool:
    """Whether a common sense of a noun is of a kind that a picture can show; words that WordNet lacks may be.

    Example:
        >>> is_visible("kite"), is_visible("idea"), is_visible("selfie")
        (True, False, True)
    """
    senses = wordnet.senses(noun, "n")
    least = COMMON_SENSE * (senses[0][1] + 1) if senses else 0
    return not senses or any(
        wordnet.lexfile(synset) in VISIBLE_NOUNS for synset, count in senses if count + 1 >= least
    )


def _swallowed(kept: dict[str, Form]) -> set[str]:
    """Keys of forms that hardly ever stand outside of one longer form."""
    inner: set[str] = set()
    for form in kept.values():
        for key in _inside(form.parts):
            shorter = kept.get(key)
            if shorter is not None and form.captions >= SWALLOWED * shorter.captions:
                inner.add(key)
    return inner


def _inside(parts: Sequence[str]) -> list[str]:
    """Keys of the shorter runs of words in a form."""
    size = len(parts)
    runs = [(first, last) for first in range(size) for last in range(first + 1, size + 1)]
    return [" ".join(parts[first:last]) for first, last in runs if last - first < size]
