"""Bytes in pieces of some 256 kB: small parts gathered, and JSON documents that never lie in memory as a whole."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import orjson

PIECE_BYTES = 256 * 1024
_AT_ONCE = 100


def gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def of_stream(stream: IO[bytes]) -> Iterator[bytes]:
    """What a stream holds from where it stands."""
    while piece := stream.read(PIECE_BYTES):
        yield piece


def json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return orjson.dumps(value, default=_plain)


def json_lines(values: Iterable[Any]) -> Iterator[bytes]:
    """A line of JSON a value."""
    for some in _some(values):
        yield b"".join([orjson.dumps(one, default=_plain, option=orjson.OPT_APPEND_NEWLINE) for one in some])


def json_array(values: Iterable[Any]) -> Iterator[bytes]:
    """A JSON list, an element a line."""
    return gathered(_array(values))


def json_object(head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> Iterator[bytes]:
    """A JSON object of the small values of `head`, then long lists that are taken one after the other."""
    return gathered(_object(head, lists))


def _array(values: Iterable[Any]) -> Iterator[bytes]:
    between = b"[\n"
    for some in _some(values):
        yield between + b",\n".join([orjson.dumps(one, default=_plain) for one in some])
        between = b",\n"
    yield b"\n]" if between == b",\n" else b"[]"


def _object(head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> Iterator[bytes]:
    between = b"{"
    for key, value in head.items():
        yield between + json_bytes(key) + b":" + json_bytes(value)
        between = b",\n"
    for key, values in lists.items():
        yield between + json_bytes(key) + b":"
        yield from _array(values)
        between = b",\n"
    yield b"{}\n" if between == b"{" else b"}\n"


def _some(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Many at a time: handing one piece on takes as long as writing it."""
    waiting = iter(values)
    while some := list(itertools.islice(waiting, _AT_ONCE)):
        yield some


def _plain(value: Any) -> Any:
    """A named tuple as an object, and a mapping that nobody may change as one."""
    return dict(zip(value._fields, value, strict=True)) if hasattr(value, "_fields") else dict(value)
