"""Well-known names and the words that tell what kind of name a run of capitals is, from `data/names.txt`."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from mlmodels.core.errors import LanguageDataError

NAMES_PATH = Path(__file__).resolve().parent.parent / "data" / "names.txt"
LABELS = ("PERSON", "PLACE", "ORGANISATION", "WORK", "EVENT", "OTHER")


class Names(NamedTuple):
    """Everything in lower case. `before_surname` are given names that are common words, too (Rose, Mark)."""

    given: frozenset[str]
    before_surname: frozenset[str]
    titles: frozenset[str]
    connectors: frozenset[str]
    place_starts: frozenset[str]
    none: frozenset[str]  # capitals that name nothing: days, months, common acronyms
    last_words: dict[str, str]  # what the last word of a name makes of it
    known: dict[str, str]


@cache
def names() -> Names:
    """The lists, read on first use.

    Raises:
        LanguageDataError: the file is missing.

    Example:
        >>> names().known["mona lisa"], names().last_words["marathon"]
        ('WORK', 'EVENT')
    """
    kinds: dict[str, list[str]] = {}
    try:
        text = NAMES_PATH.read_text(encoding="utf-8")
    except OSError as error:
        raise LanguageDataError(
            f"expected names at {NAMES_PATH}, got {error}: install Tagger again"
        ) from error
    for line in text.splitlines():
        if not line.startswith("#"):
            kind, _, own = line.partition(": ")
            kinds.setdefault(kind, []).extend(own.split(" | "))
    return Names(
        given=frozenset(kinds["given"]),
        before_surname=frozenset(kinds["before-surname"]),
        titles=frozenset(kinds["title"]),
        connectors=frozenset(kinds["connector"]),
        place_starts=frozenset(kinds["place-start"]),
        none=frozenset(kinds["none"]),
        last_words={word: label for label in LABELS for word in kinds.get(f"ends-{label}", ())},
        known={name: label for label in LABELS for name in kinds.get(label, ())},
    )
