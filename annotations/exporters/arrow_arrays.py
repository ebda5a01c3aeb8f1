"""Columns of values as Arrow arrays, laid out here byte by byte.

`pyarrow.array` would do it too, but it imports pandas wherever that is installed: 70 MB, only to learn that what it
was given is none of pandas'. The layout: https://arrow.apache.org/docs/format/Columnar.html
"""

import itertools
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["text", "names", "number", "picture"]


def type_of(kind: Kind) -> "pyarrow.DataType":
    import pyarrow

    if kind == "text":
        return pyarrow.string()
    if kind == "names":
        return pyarrow.list_(pyarrow.string())
    if kind == "number":
        return pyarrow.int32()
    return pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def of(kind: Kind, values: Sequence[Any]) -> "pyarrow.Array":
    """Texts, lists of texts, whole numbers, or pictures as {"bytes": bytes or None, "path": text}."""
    import pyarrow

    if kind == "text":
        return _bytes(pyarrow.string(), [value.encode() for value in values])
    if kind == "names":
        names = _bytes(pyarrow.string(), [name.encode() for some in values for name in some])
        buffers = [None, _offsets(map(len, values))]
        return pyarrow.Array.from_buffers(type_of(kind), len(values), buffers, children=[names])
    if kind == "number":
        buffers = [None, pyarrow.py_buffer(array("i", values))]
        return pyarrow.Array.from_buffers(pyarrow.int32(), len(values), buffers)
    return _pictures(values)


def _pictures(values: Sequence[Mapping[str, Any]]) -> "pyarrow.Array":
    import pyarrow

    data = [value["bytes"] for value in values]
    children = [
        _bytes(pyarrow.binary(), [one or b"" for one in data], _present(data)),
        of("text", [value["path"] for value in values]),
    ]
    return pyarrow.Array.from_buffers(type_of("picture"), len(values), [None], children=children)


def _bytes(
    kind: "pyarrow.DataType", values: Sequence[bytes], present: bytes | None = None
) -> "pyarrow.Array":
    import pyarrow

    buffers = [
        present and pyarrow.py_buffer(present),
        _offsets(map(len, values)),
        pyarrow.py_buffer(b"".join(values)),
    ]
    return pyarrow.Array.from_buffers(kind, len(values), buffers)


def _offsets(sizes: Iterable[int]) -> "pyarrow.Buffer":
    """Where each value starts, and where the last one ends."""
    import pyarrow

    return pyarrow.py_buffer(array("i", itertools.accumulate(sizes, initial=0)))


def _present(values: Sequence[object]) -> bytes | None:
    """A bit a value, the first one lowest: whether there is one. None where all are there."""
    if None not in values:
        return None
    bits = sum(1 << place for place, value in enumerate(values) if value is not None)
    return bits.to_bytes(-(-len(values) // 8), "little")
