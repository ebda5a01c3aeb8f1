"""Proposed synonyms: words of captions that mean what a tag means, by WordNet or by what people answered.

Both are weak on their own, so they only propose; hand-written lists beat either.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mlmodels.core.language.census import Census, Form, Place
from mlmodels.core.language.known import KnownWords, senses_of_form, senses_of_tag
from mlmodels.core.language.occurrences import ACTION, ENTITY
from mlmodels.core.language.proposals import fewest_captions, is_worth_a_tag
from mlmodels.core.language.substitution import Answered, Statistics, substitutes
from mlmodels.core.types import TagTerm

WORDNET, ANSWERS = "wordnet", "answers"
PROPOSED_AT_MOST = 200
# A shared synset counts by the weights of both senses: the second sense of a word ("bike", a bicycle) is enough.
LEAST_SENSE = 0.3


@dataclass(frozen=True)
class ProposedSynonym:
    """A word that could become an alias of a tag, with what speaks for it.

    `rule` is "wordnet" or "answers"; `precision` is the share of yes among the `support` answered captions that have
    the word and not the tag's own, `lower` its 95 % bound; all three are None where only WordNet speaks.
    """

    text: str
    tag_id: int
    rule: str
    captions: int
    share: float
    precision: float | None
    lower: float | None
    support: int | None
    places: tuple[Place, ...]


def propose_synonyms(
    census: Census,
    tags: Sequence[TagTerm],
    answered: Sequence[Answered] = (),
    *,
    retired: Sequence[TagTerm] = (),
    refused: Collection[tuple[str, int]] = (),
    limit: int = PROPOSED_AT_MOST,
) -> list[ProposedSynonym]:
    """Words for tags that are there, each proposed for the one tag that most speaks for it.

    Args:
        census: counts over the captions.
        tags: the active tags.
        answered: images with captions that people have answered.
        retired: tags that are asked of nobody; their words are no news.
        refused: (text, tag id) that somebody has dismissed; they are not proposed again.
        limit: how many at most.

    Returns:
        Most captions first, then by alphabet.

    Example:
        >>> from mlmodels.core.language.occurrences import Occurrence
        >>> census = Census()
        >>> for image_id in range(3):
        ...     census.add(image_id, [Occurrence("bike", "phrase", "bike", ("bike",), 2, 6)])
        >>> [(one.text, one.rule) for one in propose_synonyms(census, [TagTerm(1, "bicycle")])]
        [('bike', 'wordnet')]
    """
    known = KnownWords([*tags, *retired])
    by_sense: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for tag in tags:
        for synset, weight in senses_of_tag(tag).items():
            by_sense[synset].append((tag.id, weight))
    fewest = fewest_captions(census)
    forms = {
        key: form
        for key, form in census.forms.items()
        if form.captions >= fewest
        and form.kind != ENTITY
        and is_worth_a_tag(census, form)
        and not known.covers(form)
    }
    # A caption's terms do not tell "a bike" from "to bike": where both are frequent they speak for the thing.
    speaks = {
        form.parts[0]: form for form in sorted(forms.values(), key=_things_last) if len(form.parts) == 1
    }
    evidence = substitutes(answered, frozenset(speaks))
    proposed: dict[str, ProposedSynonym] = {}
    for form in sorted(forms.values(), key=lambda form: (-form.captions, form.text, form.kind)):
        told = {
            tag_id: statistics
            for (word, tag_id), statistics in evidence.items()
            if speaks[word] is form and (form.text, tag_id) not in refused
        }
        best = _best(form, by_sense, told, refused)
        if best is not None and form.text not in proposed:
            proposed[form.text] = _proposal(census, form, *best)
    return list(proposed.values())[:limit]


def _things_last(form: Form) -> tuple[bool, str]:
    return form.kind != ACTION, form.text


def _best(
    form: Form,
    by_sense: Mapping[str, Sequence[tuple[int, float]]],
    told: Mapping[int, Statistics],
    refused: Collection[tuple[str, int]],
) -> tuple[int, str, Statistics | None] | None:
    """The tag that a form most speaks for: by people's answers before WordNet, which knows no captions."""
    if told:
        tag_id = max(told, key=lambda tag_id: (told[tag_id].lower, -tag_id))
        return tag_id, ANSWERS, told[tag_id]
    weights: dict[int, float] = {}
    for synset, weight in senses_of_form(form):
        for tag_id, other in by_sense.get(synset, ()):
            if (form.text, tag_id) not in refused:
                weights[tag_id] = max(weights.get(tag_id, 0.0), weight * other)
    tag_id = max(weights, key=lambda tag_id: (weights[tag_id], -tag_id), default=-1)
    return (tag_id, WORDNET, None) if weights and weights[tag_id] >= LEAST_SENSE else None


def _proposal(
    census: Census, form: Form, tag_id: int, rule: str, statistics: Statistics | None
) -> ProposedSynonym:
    return ProposedSynonym(
        text=form.text,
        tag_id=tag_id,
        rule=rule,
        captions=form.captions,
        share=form.captions / census.captions,
        precision=statistics.yes / statistics.support if statistics else None,
        lower=statistics.lower if statistics else None,
        support=statistics.support if statistics else None,
        places=tuple(form.places),
    )
