"""What a caption says is absent: cues ("no", "without", "isn't") and the words that each of them reaches.

A cue reaches the noun phrase or predicate after it and lists joined by "or"; it stops at clause boundaries, at "but",
at prepositions, and before definite objects of a verb ("nobody rides the horse": the horse is there).
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from mlmodels.core.language import cues
from mlmodels.core.language.words import Word

PHRASE_PARTS = frozenset({"DET", "ADJ", "NUM", "NOUN", "PROPN", "PRON"})
SKIPPED_PARTS = frozenset({"ADV", "AUX", "PART"})
NOUN_PARTS = frozenset({"NOUN", "PROPN"})
CLAUSE = 8  # words in which "rather" belongs to "than", and "never" to "without"
DENIALS = frozenset(["never", "not", "n't", "n’t", "cannot", "nobody", "none"])
LONGEST_REACH = 30  # words; bounds the time for a caption made of cues
DEFINITE = frozenset(
    ["the", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our", "their"]
)


class Negation(NamedTuple):
    """Word indices: the cue is [cue_first, cue_last), what it reaches [first, last)."""

    cue_first: int
    cue_last: int
    first: int
    last: int


def cue_table() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Cues by their first word, longest first."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    kinds = {
        "phrase": cues.PHRASE,
        "predicate": cues.PREDICATE,
        "subject": cues.SUBJECT,
        "backward": cues.BACKWARD,
        "none": cues.NONE,
    }
    for kind, own in kinds.items():
        for cue in own:
            forms = tuple(cue.split())
            table.setdefault(forms[0], []).append((forms, kind))
    table.setdefault("than", []).append((("than",), "none"))
    table.setdefault("gone", []).append((("gone",), "none"))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


CUES = cue_table()
FORM = attrgetter("form")


def find_negations(words: Sequence[Word]) -> list[Negation]:
    """Finds what a caption negates.

    Args:
        words: the caption's words with parts of speech.

    Returns:
        Cues in order with the words they reach; a cue that reaches nothing is left out.

    Example:
        >>> from mlmodels.core.language.pipeline import build_pipeline
        >>> from mlmodels.core.language.words import words_of
        >>> find_negations(words_of(build_pipeline()("A street with no cars")).words)
        [Negation(cue_first=3, cue_last=4, first=4, last=5)]
    """
    found: list[Negation] = []
    if CUES.keys().isdisjoint(map(FORM, words)):  # most captions
        return found
    position = 0
    while position < len(words):
        cue = cue_at(words, position)
        if cue is None:
            position += 1
            continue
        end, kind = cue
        kind = kind_here(words, position, end, kind)
        base = max(0, position - LONGEST_REACH)
        nearby = words[base : end + LONGEST_REACH]
        first, last = reach(nearby, position - base, end - base, kind)
        if first < last:
            found.append(Negation(position, end, base + first, base + last))
        position = end
    return found


def negated_by(words: Sequence[Word]) -> dict[int, Negation]:
    """The cue that reaches each negated word, by the word's index."""
    return {
        position: negation
        for negation in find_negations(words)
        for position in range(negation.first, negation.last)
    }


def kind_here(words: Sequence[Word], first: int, last: int, kind: str) -> str:
    """What a cue is at this place: "missing" may look back, "never ... without" denies nothing, "than" may be a cue."""
    form = words[first].form
    earlier = words[max(0, first - CLAUSE) : first]
    if form in cues.MISSING_BEHIND:
        after_be = bool(earlier) and earlier[-1].pos in SKIPPED_PARTS
        return "backward" if after_be and pos_at(words, last) not in PHRASE_PARTS else kind
    if form == "than":
        return "phrase" if any(word.form == "rather" for word in earlier) else "none"
    if form == "without" and any(word.form in DENIALS for word in earlier):
        return "none"
    if kind == "predicate":
        shown = form_at(words, last + 1 if form_at(words, last) == "be" else last)
        return "seen" if shown in cues.SEEN else kind
    return kind


def cue_at(words: Sequence[Word], position: int) -> tuple[int, str] | None:
    """Where the longest cue that begins here ends, and its kind."""
    for forms, kind in CUES.get(words[position].form, ()):
        end = position + len(forms)
        if end <= len(words) and all(
            word.form == form for word, form in zip(words[position:end], forms, strict=True)
        ):
            return end, kind
    return None


def reach(words: Sequence[Word], cue_first: int, cue_last: int, kind: str) -> tuple[int, int]:
    """The words that a cue of this kind reaches."""
    if kind == "phrase" and not on_a_sign(words, cue_last):
        return cue_last, phrase_end(words, cue_last)
    if kind == "predicate":
        return cue_last, predicate_end(words, cue_last)
    if kind == "subject" and pos_at(words, cue_last) == "ADP" and form_at(words, cue_last) != "of":
        return cue_last, cue_last  # "nothing on the plate": the plate is there
    if kind == "subject":
        start = after_partitive(words, cue_last)
        return start, predicate_end(words, start)
    if kind == "seen":
        return phrase_before(words, cue_first)
    if kind == "backward":
        return phrase_before(words, cue_first)
    return cue_last, cue_last


def on_a_sign(words: Sequence[Word], position: int) -> bool:
    """Whether a "no" is what a sign says ("a no parking sign")."""
    return any(word.lemma == "sign" for word in words[position + 1 : position + 2])


def form_at(words: Sequence[Word], position: int) -> str:
    return words[position].form if position < len(words) else ""


def pos_at(words: Sequence[Word], position: int) -> str:
    return words[position].pos if position < len(words) else ""


def phrase_end(words: Sequence[Word], position: int) -> int:
    """End of the noun phrase, or verb with its object, that begins here, with what "or" adds to it."""
    while pos_at(words, position) == "ADV":
        position += 1
    if pos_at(words, position) == "VERB" and pos_at(words, position + 1) not in NOUN_PARTS:
        return predicate_end(words, position)
    end = noun_run_end(words, position)
    while end > position and (joined := list_continues(words, end)):
        end = noun_run_end(words, joined)
    return end


def noun_run_end(words: Sequence[Word], position: int) -> int:
    """End of a run of determiners, adjectives and nouns; a participle may stand before a noun."""
    seen_noun = False
    while position < len(words):
        pos = words[position].pos
        before_noun = pos == "VERB" and not seen_noun and pos_at(words, position + 1) in NOUN_PARTS
        opens_another = seen_noun and pos in {"DET", "PRON"}
        if (pos not in PHRASE_PARTS and not before_noun) or opens_another:
            break
        seen_noun = seen_noun or pos in NOUN_PARTS
        position += 1
    return position


def list_continues(words: Sequence[Word], position: int) -> int:
    """Where a list's next member begins ("or windows", ", slides or children", "and gloves"); 0 when it ends."""
    joint, following = form_at(words, position), pos_at(words, position + 1)
    if joint == "," and form_at(words, position + 1) in {"or", "nor"}:
        return position + 2
    if joint in {"or", "of"} and following in PHRASE_PARTS:
        return position + 1
    if joint == "and" and following in NOUN_PARTS | {"ADJ"}:
        return position + 1
    if joint == ",":
        end = noun_run_end(words, position + 1)
        closes = form_at(words, end) == "or" or (
            form_at(words, end) == "," and form_at(words, end + 1) in {"or", "nor"}
        )
        if end > position + 1 and closes:
            return position + 1
    return 0


def predicate_end(words: Sequence[Word], position: int) -> int:
    """End of a negated predicate: auxiliaries, verbs, and an object that is not definite."""
    while pos_at(words, position) in SKIPPED_PARTS:
        position += 1
    had_verb = perceives = False
    while pos_at(words, position) == "VERB" or (had_verb and form_at(words, position) in {"or", "to", "nor"}):
        had_verb = True
        perceives = words[position].lemma in cues.PERCEIVED
        position += 1
    follows = form_at(words, position)
    if pos_at(words, position) == "ADP" and (follows == "with" or not had_verb):
        position += 1
    if form_at(words, position) in DEFINITE and had_verb and not perceives:
        return position
    if pos_at(words, position) in PHRASE_PARTS:
        return phrase_end(words, position)
    return position


def after_partitive(words: Sequence[Word], position: int) -> int:
    """Skips "of the children" after "none"."""
    if form_at(words, position) != "of":
        return position
    return noun_run_end(words, position + 1)


def phrase_before(words: Sequence[Word], position: int) -> tuple[int, int]:
    """The noun phrase that is the subject of "are absent"."""
    last = position
    while last > 0 and words[last - 1].pos in SKIPPED_PARTS:
        last -= 1
    first = last
    while first > 0 and words[first - 1].pos in PHRASE_PARTS:
        first -= 1
    return first, last
