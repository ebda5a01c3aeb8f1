"""Whole numbers in addresses, forms and search words: read in one way by pages and API."""

# As many digits as fit into any id; int() itself refuses some thousands with an error of its own.
_MAX_DIGITS = 18


def whole_number(text: str) -> int | None:
    """The number that the digits name, or None: other characters, or more digits than any id has."""
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None


def id_or_word(text: str) -> int | str:
    """The id that the text is, else the text itself, which may be a name."""
    number = whole_number(text)
    return text if number is None else number
