"""The XMP packet of a GIF: found, and put in the place of the one that is there. No pixel is decoded.

XMP specification, part 3, GIF: the packet stands raw in an application extension, where sub-blocks are expected. A
trailer behind it leads whoever counts sub-blocks to its end, wherever they come out of the packet.
"""

from collections.abc import Iterator

_XMP = b"\x21\xff\x0bXMP DataXMP"
_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
GIF_ERRORS = (LookupError, ValueError)


def packet(data: bytes) -> bytes | None:
    """The packet, if there is one. Raises one of GIF_ERRORS for a file that breaks off."""
    found = next((data[start:end] for start, end in _blocks(data) if _is_xmp(data, start)), None)
    if found is None or (end := found.find(_TRAILER[:4])) < 0:
        return None
    return found[len(_XMP) : end]


def with_packet(data: bytes, packet: bytes) -> bytes:
    """The file with this packet, UTF-8 without null characters. Raises one of GIF_ERRORS for one that breaks off.

    >>> tiny = b"GIF87a" + bytes((1, 0, 1, 0, 0, 0, 0)) + b";"
    >>> globals()["packet"](with_packet(tiny, b"<x/>"))
    b'<x/>'
    """
    *blocks, (end, _) = _blocks(data)
    kept = b"".join(data[start:stop] for start, stop in blocks if not _is_xmp(data, start))
    first = blocks[0][0] if blocks else end
    # Behind the pictures, so that whatever begins an animation stays at the beginning.
    return b"GIF89a" + data[6:first] + kept + _XMP + packet + _TRAILER + data[end:]


def _is_xmp(data: bytes, start: int) -> bool:
    return data.startswith(_XMP, start)


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each block behind the header starts and ends, last of all the end mark."""
    at = 13 + _table_bytes(data[10])
    while data[at] != _END:
        start = at
        if data[at] == _EXTENSION:
            at = _behind_sub_blocks(data, at + 2)
        elif data[at] == _IMAGE:
            at = _behind_sub_blocks(data, at + 11 + _table_bytes(data[at + 9]))
        else:
            raise ValueError(f"no block of a GIF begins with {data[at]:#04x}")
        yield start, at
    yield at, at + 1


def _behind_sub_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1


def _table_bytes(packed: int) -> int:
    """How long the table of colours is of which this byte tells."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
