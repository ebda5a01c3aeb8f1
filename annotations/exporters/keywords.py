"""Writes caption and tags into a picture's own bytes as XMP and IPTC, or into an XMP file beside it.

Only the metadata's place in the file changes: no pixel is decoded or encoded, and everything else stays where it is.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from annotations import gif_xmp, iptc, xmp
from annotations.exporters import heif_items
from annotations.picture_kinds import describe

_SEGMENT_MAX_BYTES = 65_533
_XMP_JPEG, _PHOTOSHOP, _MPF = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0", b"MPF\0"
_APP0, _APP1, _APP2, _APP13, _SCAN = 0xE0, 0xE1, 0xE2, 0xED, 0xDA
_XMP_PNG = b"XML:com.adobe.xmp"
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10
_TIFF_XMP, _TIFF_IPTC, _BYTE = 700, 33723, 1


class _Segment(NamedTuple):
    """Of a JPEG: `marker` is its second byte, `data` what stands behind its length."""

    marker: int
    data: bytes


class _Unwritable(Exception):
    """The file's structure does not take the words, or is not what it should be."""


def embedded(data: bytes, *, caption: str, tags: Sequence[str]) -> bytes | None:
    """The file with these words instead of those it has: XMP, and in JPEG and TIFF IPTC too.

    None where they cannot be held: BMP, a broken file, a JPEG of several pictures, a sequence of AVIF or HEIC, or more
    words than a JPEG segment takes. IPTC cuts long ones; XMP has them whole.
    """
    write = _WRITERS.get(describe(data)[1])
    if write is None:
        return None
    try:
        return write(data, caption, tags)
    except (_Unwritable, *heif_items.HEIF_ERRORS):
        return None


def sidecar(*, caption: str, tags: Sequence[str]) -> bytes:
    """The same words as an XMP file that lies beside the picture."""
    return xmp.written(None, caption=caption, tags=tags)


def _jpeg(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    segments, rest = _segments(data)
    _refuse_several_pictures(segments)
    old = [one for one in segments if one.marker == _APP1 and one.data.startswith(_XMP_JPEG)]
    resources = [one for one in segments if one.marker == _APP13 and one.data.startswith(_PHOTOSHOP)]
    packet = old[0].data.removeprefix(_XMP_JPEG) if old else None
    ours = [_Segment(_APP1, _XMP_JPEG + xmp.written(packet, caption=caption, tags=tags))]
    joined = b"".join(one.data.removeprefix(_PHOTOSHOP) for one in resources)
    joined = iptc.with_iptc(joined, caption=caption, tags=tags)
    room = _SEGMENT_MAX_BYTES - len(_PHOTOSHOP)
    ours += [_Segment(_APP13, _PHOTOSHOP + joined[at : at + room]) for at in range(0, len(joined), room)]
    kept = [one for one in segments if one not in (*old, *resources)]
    # Readers look for JFIF and EXIF first.
    head = next((at for at, one in enumerate(kept) if one.marker not in (_APP0, _APP1)), len(kept))
    return b"\xff\xd8" + b"".join(map(_packed, (*kept[:head], *ours, *kept[head:]))) + rest


def _segments(data: bytes) -> tuple[list[_Segment], bytes]:
    """The segments before the first scan, and everything from its marker on."""
    found: list[_Segment] = []
    at = 2
    while True:
        if data[at] != 0xFF:
            raise _Unwritable
        while data[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = data[at + 1]
        if marker == _SCAN:
            return found, data[at:]
        if marker < 0xC0:  # none that has a length may stand here
            raise _Unwritable
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(data):
            raise _Unwritable
        found.append(_Segment(marker, data[at + 4 : at + 2 + size]))
        at += 2 + size


def _refuse_several_pictures(segments: Sequence[_Segment]) -> None:
    """A file of several pictures says where each begins: what moves them would have to know every maker's dialect."""
    if any(one.marker == _APP2 and one.data.startswith(_MPF) for one in segments):
        raise _Unwritable


def _packed(one: _Segment) -> bytes:
    if len(one.data) > _SEGMENT_MAX_BYTES:
        raise _Unwritable
    return bytes((0xFF, one.marker)) + struct.pack(">H", len(one.data) + 2) + one.data


def _png(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    chunks = list(_png_chunks(data))
    old = [body for kind, body in chunks if kind == b"iTXt" and body.startswith(_XMP_PNG + b"\0")]
    packet = xmp.written(_png_packet(old[0]) if old else None, caption=caption, tags=tags)
    ours = (b"iTXt", _XMP_PNG + b"\0" * 5 + packet)
    kept = [(kind, body) for kind, body in chunks if not (kind == b"iTXt" and body in old)]
    head = next((at for at, (kind, _) in enumerate(kept) if kind == b"IDAT"), None)
    if head is None:
        raise _Unwritable
    return data[:8] + b"".join(_png_chunk(kind, body) for kind, body in (*kept[:head], ours, *kept[head:]))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, kind = 8, b""
    while kind != b"IEND":
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(kind) < 4 or at + 12 + size > len(data):
            raise _Unwritable
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def _png_packet(body: bytes) -> bytes | None:
    """What an iTXt chunk says behind keyword, compression, language and translated keyword. None if compressed."""
    if body[len(_XMP_PNG) + 1 : len(_XMP_PNG) + 2] != b"\0":
        return None
    return body[len(_XMP_PNG) + 3 :].split(b"\0", 2)[2]


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _webp(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    chunks = list(_webp_chunks(data))
    old = next((body for kind, body in chunks if kind == b"XMP "), None)
    packet = xmp.written(old, caption=caption, tags=tags)
    kept = [(kind, body) for kind, body in chunks if kind not in (b"XMP ", b"VP8X")]
    extended = next((body for kind, body in chunks if kind == b"VP8X"), None) or _extended(*kept[0])
    extended = bytes((extended[0] | _HAS_XMP,)) + extended[1:]
    body = b"".join(_webp_chunk(*one) for one in ((b"VP8X", extended), *kept, (b"XMP ", packet)))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            raise _Unwritable
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _extended(kind: bytes, body: bytes) -> bytes:
    """The header that a simple file lacks and metadata needs: flags, width and height."""
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height, flags = bits & 0x3FFF, bits >> 14 & 0x3FFF, _HAS_ALPHA if bits >> 28 & 1 else 0
    elif kind == b"VP8 ":
        sides = struct.unpack("<HH", body[6:10])
        width, height, flags = (sides[0] & 0x3FFF) - 1, (sides[1] & 0x3FFF) - 1, 0
    else:
        raise _Unwritable
    return bytes((flags, 0, 0, 0)) + width.to_bytes(3, "little") + height.to_bytes(3, "little")


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _tiff(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    """The first directory anew at the end of the file, with the words behind it: every offset stays true."""
    order = "<" if data[:2] == b"II" else ">"
    if struct.unpack(f"{order}H", data[2:4])[0] != 42:  # BigTIFF
        raise _Unwritable
    at = struct.unpack(f"{order}I", data[4:8])[0]
    count = struct.unpack(f"{order}H", data[at : at + 2])[0]
    entries = {}
    for start in range(at + 2, at + 2 + 12 * count, 12):
        entry = data[start : start + 12]
        entries[struct.unpack(f"{order}H", entry[:2])[0]] = entry
    following = data[at + 2 + 12 * count : at + 6 + 12 * count]
    ours = {
        _TIFF_XMP: xmp.written(_tiff_value(data, order, entries.get(_TIFF_XMP)), caption=caption, tags=tags),
        _TIFF_IPTC: iptc.written(
            _tiff_value(data, order, entries.get(_TIFF_IPTC)) or b"", caption=caption, tags=tags
        ),
    }
    body = data + b"\0" * (len(data) % 2)
    for tag, value in ours.items():
        entries[tag] = struct.pack(f"{order}HHII", tag, _BYTE, len(value), len(body))
        body += value + b"\0" * (len(value) % 2)
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries))
    return body[:4] + struct.pack(f"{order}I", len(body)) + body[8:] + directory + following


def _tiff_value(data: bytes, order: str, entry: bytes | None) -> bytes | None:
    """The bytes of an entry, of those sizes that these two tags come in."""
    if entry is None:
        return None
    kind, count, at = struct.unpack(f"{order}HII", entry[2:])
    size = count * {1: 1, 2: 1, 4: 4, 7: 1}[kind]
    return entry[8 : 8 + size] if size <= 4 else data[at : at + size]


def _gif(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    packet = xmp.written(gif_xmp.packet(data), caption=caption, tags=tags)
    return gif_xmp.with_packet(data, packet)


def _heif(data: bytes, caption: str, tags: Sequence[str]) -> bytes:
    return heif_items.with_xmp(data, lambda packet: xmp.written(packet, caption=caption, tags=tags))


_WRITERS = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _tiff,
    "GIF": _gif,
    "AVIF": _heif,
    "HEIF": _heif,
}
