"""The languages in which captions can be read, by their ISO 639 codes: those whose words spaCy can tell apart.

Their English names come from Django, and from here where Django has none.

Written out, because the web side does not import spaCy; a test compares the list with the installed spaCy.
"""

from django.conf.locale import LANG_INFO

_CODES = (
    "af am ar az bg bn bo ca cs da de dsb el en es et eu fa fi fo fr ga gd grc gu he hi hr hsb ht hu hy id is it ja "
    "kmr kn ko ky la lb lg lij lt lv mk ml mr ms nb ne nl nn pl pt ro ru sa si sk sl sq sr sv ta te th ti tl tn tr "
    "tt uk ur vi xx yo zh"
)
CODES = frozenset(_CODES.split())
"""`xx` stands for several languages at once."""

_NAMES = {
    "am": "Amharic",
    "bo": "Tibetan",
    "fo": "Faroese",
    "grc": "Ancient Greek",
    "gu": "Gujarati",
    "ht": "Haitian Creole",
    "kmr": "Kurmanji",
    "la": "Latin",
    "lg": "Luganda",
    "lij": "Ligurian",
    "sa": "Sanskrit",
    "si": "Sinhala",
    "ti": "Tigrinya",
    "tl": "Tagalog",
    "tn": "Setswana",
    "xx": "Several languages",
    "yo": "Yoruba",
    "zh": "Chinese",
}


def choices() -> list[tuple[str, str]]:
    """Every code with its name: English and the mixture first, then by name."""
    named = [(code, _NAMES.get(code) or LANG_INFO[code]["name"]) for code in CODES]
    return sorted(named, key=lambda pair: (pair[0] != "en", pair[0] != "xx", pair[1]))
