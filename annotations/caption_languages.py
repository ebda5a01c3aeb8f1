"""The languages in which captions can be read, by their ISO 639 codes: those whose words spaCy can tell apart.

Written out, because the web side does not import spaCy; a test compares the list with the installed spaCy.
"""

_CODES = (
    "af am ar az bg bn bo ca cs da de dsb el en es et eu fa fi fo fr ga gd grc gu he hi hr hsb ht hu hy id is it ja "
    "kmr kn ko ky la lb lg lij lt lv mk ml mr ms nb ne nl nn pl pt ro ru sa si sk sl sq sr sv ta te th ti tl tn tr "
    "tt uk ur vi xx yo zh"
)
CODES = frozenset(_CODES.split())
"""`xx` stands for several languages at once."""
