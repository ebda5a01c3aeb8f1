"""JSON documents larger than memory: the elements that are asked for, one by one.

By ijson's bare events: its own paths grow with the depth, so that a document nested 100,000 deep would fill the memory.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import ijson

from annotations.importers.words import MAX_DEPTH

ANY = "*"
"""Any key of an object, or any place in a list."""
JSON_ERRORS = (ijson.JSONError, ValueError)

Path = tuple[str, ...]
_Events = Iterator[tuple[str, Any]]
_OPENING, _CLOSING = ("start_map", "start_array"), ("end_map", "end_array")
# What is deeper than any metadata may be is cut off: whoever reads it refuses it as too deep.
_DEEPEST = MAX_DEPTH + 2


def elements(
    stream: BinaryIO, wanted: tuple[Path, ...], *, without: frozenset[str] = frozenset()
) -> Iterator[tuple[Path, Any]]:
    """Each value at one of the paths, in the document's order; keys in `without` are skipped within them.

    Raises one of JSON_ERRORS where the document breaks off, after what came before.
    """
    events = ijson.basic_parse(stream, use_float=True)
    for event, value in events:
        yield from _walked(events, event, value, (), wanted, without)


def keys(stream: BinaryIO, are_enough: Callable[[set[str]], Any]) -> set[str]:
    """The outermost keys, as far as they are needed or can be read; none where the document is no object."""
    seen: set[str] = set()
    try:
        events = ijson.basic_parse(stream, use_float=True)
        if next(events, ("", None))[0] != "start_map":
            return seen
        for event, value in events:
            if event == "map_key":
                seen.add(value)
                if are_enough(seen):
                    return seen
            elif event in _OPENING:
                _skip(events)
    except JSON_ERRORS:
        pass
    return seen


def _walked(
    events: _Events,
    event: str,
    value: Any,
    path: Path,
    wanted: tuple[Path, ...],
    without: frozenset[str],
) -> Iterator[tuple[Path, Any]]:
    """As deep as the longest path, no deeper."""
    if any(_matches(path, one) for one in wanted if len(one) == len(path)):
        yield path, _built(events, event, value, without)
    elif event in _OPENING and any(_matches(path, one) for one in wanted):
        for inner, said in events:
            if inner in _CLOSING:
                return
            key, element = (said, next(events)) if event == "start_map" else (ANY, (inner, said))
            yield from _walked(events, *element, (*path, key), wanted, without)
    elif event in _OPENING:
        _skip(events)


def _matches(path: Path, wanted: Path) -> bool:
    return all(key in (ANY, at) for at, key in zip(path, wanted, strict=False))


def _built(events: _Events, event: str, value: Any, without: frozenset[str], depth: int = 0) -> Any:
    if event not in _OPENING:
        return value
    if depth > _DEEPEST:
        _skip(events)
        return None
    if event == "start_array":
        listed = []
        for inner, said in events:
            if inner == "end_array":
                break
            listed.append(_built(events, inner, said, without, depth + 1))
        return listed
    made: dict[str, Any] = {}
    for inner, key in events:
        if inner == "end_map":
            break
        opening, said = next(events)
        if key in without and opening in _OPENING:
            _skip(events)
        else:
            made[key] = _built(events, opening, said, without, depth + 1)
    return made


def _skip(events: _Events) -> None:
    """To the end of the list or object that has just begun."""
    depth = 1
    for event, _ in events:
        if event in _OPENING:
            depth += 1
        elif event in _CLOSING:
            depth -= 1
            if not depth:
                return
