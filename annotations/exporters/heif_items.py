"""Puts an XMP packet into a HEIC or AVIF file as an item of its own; no other item changes but for where it lies.

ISO/IEC 23008-12 and 14496-12: `iinf` names the items, `iloc` says where in the file their bytes are, `iref` what they
speak of. Whatever else counts bytes of the file, such as a sequence or a motion photo, is refused.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

_KNOWN = {b"ftyp", b"meta", b"mdat", b"free", b"skip"}
_TYPE = b"application/rdf+xml"
_IN_FILE, _IN_IDAT = 0, 1
HEIF_ERRORS = (ValueError, LookupError, OverflowError, struct.error)


class _Box(NamedTuple):
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class _Place:
    """Where an item's bytes are: pieces of the file, or of the box `idat`."""

    method: int
    extents: tuple[tuple[int, int], ...]


def with_xmp(data: bytes, write: Callable[[bytes | None], bytes]) -> bytes:
    """The file with what `write` makes of its packet. Raises one of HEIF_ERRORS where it cannot be."""
    outer = list(_boxes(data, 0, len(data)))
    metas = [box for box in outer if box.kind == b"meta"]
    if len(metas) != 1 or any(box.kind not in _KNOWN for box in outer):
        raise ValueError("expected one picture with its items, got something else")
    meta = metas[0]
    within = list(_boxes(data, meta.body + 4, meta.end))
    inner = {box.kind: data[box.body : box.end] for box in within}
    if len(inner) < len(within):
        raise ValueError("two boxes of one kind")
    version, places = _places(inner[b"iloc"])
    named = dict(_named(inner[b"iinf"]))
    item, old, body = _xmp_item(named), None, data
    if item is not None:
        old, body = _read(data, inner, places[item]), _without_own(data, outer, places[item])
    packet = write(old)
    if item is None:
        item = max((*places, *named)) + 1
        inner[b"iinf"] = _with_item(inner[b"iinf"], item)
        inner[b"iref"] = _with_reference(inner.get(b"iref", bytes(4)), item, _primary(inner[b"pitm"]))
    places[item] = _Place(_IN_FILE, ((len(body) + 8, len(packet)),))
    grown = len(_meta(data, meta, inner, version, places)) - (meta.end - meta.start)
    moved = {one: _moved(place, meta, grown) for one, place in places.items()}
    made = _meta(data, meta, inner, version, moved)
    return body[: meta.start] + made + body[meta.end :] + _box(b"mdat", packet)


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            head, size = 16, struct.unpack_from(">Q", data, at + 8)[0]
        if (
            size < head or at + size > end
        ):  # 0 stands for all that follows, where nothing can be put behind it
            raise ValueError("a box breaks off")
        yield _Box(kind, at, at + head, at + size)
        at += size


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _meta(
    data: bytes, meta: _Box, inner: dict[bytes, bytes], version: int, places: dict[int, _Place]
) -> bytes:
    """The box of all items anew; what `inner` holds is in the order of the file."""
    bodies = {**inner, b"iloc": _packed_places(version, places)}
    return _box(b"meta", data[meta.body : meta.body + 4] + b"".join(_box(*one) for one in bodies.items()))


def _places(iloc: bytes) -> tuple[int, dict[int, _Place]]:
    """The version of the box, and where each item lies."""
    version, (sizes, more, count) = iloc[0], struct.unpack_from(">BBH", iloc, 4)
    of_offset, of_length, of_base = sizes >> 4, sizes & 15, more >> 4
    if version > 1 or more & 15 or not of_length:
        raise ValueError("items are numbered or placed as those of no camera are")
    found, at = {}, 8

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(iloc):
            raise ValueError("the places of the items break off")
        return int.from_bytes(iloc[at - size : at], "big")

    for _ in range(count):
        item, method, elsewhere, base = (
            number(2),
            number(2) & 15 if version else 0,
            number(2),
            number(of_base),
        )
        extents = tuple((base + number(of_offset), number(of_length)) for _ in range(number(2)))
        if elsewhere or method > _IN_IDAT or not all(length for _, length in extents):
            raise ValueError("an item lies where its end is not known")
        found[item] = _Place(method, extents)
    return version, found


def _packed_places(version: int, places: dict[int, _Place]) -> bytes:
    packed = [struct.pack(">BxxxBBH", version, 0x44, 0, len(places))]
    for item, place in places.items():
        packed.append(struct.pack(">HHH", item, place.method, 0) if version else struct.pack(">HH", item, 0))
        packed.append(struct.pack(">H", len(place.extents)))
        packed += [struct.pack(">II", *extent) for extent in place.extents]
    return b"".join(packed)


def _moved(place: _Place, meta: _Box, by: int) -> _Place:
    """The place of an item once the box of all items has grown."""
    if place.method == _IN_IDAT:
        return place
    if any(meta.start <= start < meta.end for start, _ in place.extents):
        raise ValueError("an item lies among the names of the items")
    return replace(
        place, extents=tuple((at + by if at >= meta.end else at, size) for at, size in place.extents)
    )


def _read(data: bytes, inner: dict[bytes, bytes], place: _Place) -> bytes:
    source = inner[b"idat"] if place.method == _IN_IDAT else data
    if sum(size for _, size in place.extents) > len(source):
        raise ValueError("pieces that overlap")
    return b"".join(source[at : at + size] for at, size in place.extents)


def _without_own(data: bytes, outer: list[_Box], place: _Place) -> bytes:
    """Without the box at the end that holds nothing but the packet before: rewriting does not make a file grow."""
    last = outer[-1]
    is_own = last.kind == b"mdat" and place == _Place(_IN_FILE, ((last.body, last.end - last.body),))
    return data[: last.start] if is_own else data


def _named(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """Each item's number, and its kind with all that is said of it."""
    for box in _boxes(iinf, 6 if iinf[0] == 0 else 8, len(iinf)):
        at = box.body + (10 if iinf[box.body] == 3 else 8)
        yield int.from_bytes(iinf[box.body + 4 : at - 2], "big"), iinf[at : box.end]


def _xmp_item(named: dict[int, bytes]) -> int | None:
    """The item that is a packet already. Raises ValueError for several: nobody knows which one is meant."""
    found = [item for item, said in named.items() if said.startswith(b"mime") and _TYPE in said.split(b"\0")]
    if len(found) > 1:
        raise ValueError("several packets")
    return found[0] if found else None


def _with_item(iinf: bytes, item: int) -> bytes:
    size = 2 if iinf[0] == 0 else 4
    count = int.from_bytes(iinf[4 : 4 + size], "big") + 1
    entry = struct.pack(">BxxxHH4s", 2, item, 0, b"mime") + b"XMP\0" + _TYPE + b"\0"
    return iinf[:4] + count.to_bytes(size, "big") + iinf[4 + size :] + _box(b"infe", entry)


def _with_reference(iref: bytes, item: int, to: int) -> bytes:
    """That the item describes the picture."""
    form = ">HHH" if iref[0] == 0 else ">IHI"
    return iref + _box(b"cdsc", struct.pack(form, item, 1, to))


def _primary(pitm: bytes) -> int:
    return int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8], "big")
