"""What the keys of the Review page do before anybody remaps them: the one list that the page and the checks read.

Digits point at chips and belong to nobody else. What a person chose instead stands in `selectors.key_map`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

DIGITS = "0123456789"
ALL_TAGS, ONE_TAG = "all", "one"


@dataclass(frozen=True)
class Command:
    """Keys are named as the browser names them (`event.key`), letters small; `also` are taken, but not printed.

    `mode` names the only mode in which the command acts; without it, it acts in both.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    also: tuple[str, ...] = ()
    mode: str | None = None


COMMANDS = (
    Command("accept", "Accept and go on", ("Enter",), mode=ALL_TAGS),
    Command("add", "Add a tag", ("t", "/"), mode=ALL_TAGS),
    Command("undo", "Undo", ("z", "Backspace")),
    Command("skip", "Skip", ("s",), mode=ALL_TAGS),
    Command("unsure", "Unsure, ask a reviewer", ("u",), mode=ALL_TAGS),
    Command("broken", "Broken image", ("b",), mode=ALL_TAGS),
    Command("flag", "Flag with a comment", ("f",)),
    Command("guide", "How to tag", ("g",)),
    Command("yes", "Yes, it shows the tag", ("a",), mode=ONE_TAG),
    Command("no", "No, it does not", ("x",), mode=ONE_TAG),
    Command("ignore", "Ignore, answer nothing", ("ArrowRight",), mode=ONE_TAG),
    Command("alone", "See the image alone", (" ",)),
    Command("rotate", "Rotate", ("r",)),
    # The neighbour on the same key of many layouts, where one of the two needs Shift.
    Command("zoom_in", "Zoom in", ("+",), also=("=",)),
    Command("zoom_out", "Zoom out", ("-",), also=("_",)),
    Command("help", "All keys", ("?",)),
)


def as_config() -> list[dict[str, Any]]:
    """The list as static/js/lib/keys.js reads it."""
    return [asdict(command) for command in COMMANDS]


def _reserved() -> Iterator[str]:
    yield from DIGITS
    for command in COMMANDS:
        yield from (*command.keys, *command.also)


RESERVED = frozenset(_reserved())
"""Keys that no tag may take as its hotkey, in any project and for anybody."""

_NAMED = (
    *("Enter", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"),
)
_BY_SPELLING = {name.lower(): name for name in _NAMED} | {"space": " "}


def canonical(text: str) -> str | None:
    """The key that somebody wrote or pressed, as the list names it; None for one that no command can have."""
    key = text.lower()
    if len(key) == 1 and key.isprintable():
        return None if key in DIGITS else key
    return _BY_SPELLING.get(key)


def label(key: str) -> str:
    """The key as a person reads and writes it; `canonical` takes it back."""
    if key == " ":
        return "Space"
    return key.upper() if len(key.upper()) == 1 else key
