"""Keywords and caption in IPTC-IIM, the older form beside XMP, and the Photoshop resources that hold it in a JPEG.

IPTC-NAA Information Interchange Model 4.2: keywords are datasets 2:25 of at most 64 bytes, the caption 2:120 of at
most 2,000; 1:90 says that text is UTF-8. What is longer is cut here, and whole in the XMP packet beside it.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

KEYWORD_MAX_BYTES, CAPTION_MAX_BYTES = 64, 2_000
# All of it has to fit beside other resources into few segments; what is left out stands in the XMP packet.
KEYWORDS_MAX_BYTES = 32_000
_UTF8 = b"\x1b%G"
_CHARSET, _VERSION, _KEYWORD, _CAPTION = (1, 90), (2, 0), (2, 25), (2, 120)
_OURS = {_CHARSET, _VERSION, _KEYWORD, _CAPTION}
_MARK, _EXTENDED = 0x1C, 0x8000
_RESOURCE = b"8BIM"
IPTC_RESOURCE, _DIGEST_RESOURCE = 0x0404, 0x0425


class DataSet(NamedTuple):
    record: int
    number: int
    value: bytes


class Resource(NamedTuple):
    """One of Photoshop's image resources; `head` is all that stands before its data's length."""

    kind: int
    head: bytes
    data: bytes


def text_of(value: bytes, *, is_utf8: bool) -> str:
    """Old files rarely say how they are encoded: UTF-8 if it is valid, else the Windows code page."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if is_utf8 else "cp1252", "replace")


def written(block: bytes, *, caption: str, tags: Sequence[str]) -> bytes:
    """The datasets with these keywords and this caption instead of their own, all text as UTF-8.

    >>> written(b"", caption="", tags=["é"]).hex()
    '1c015a00031b25471c0200000200041c02190002c3a9'
    """
    found = list(datasets(block))
    was_utf8 = (*_CHARSET, _UTF8) in found
    kept = [one if was_utf8 else _as_utf8(one) for one in found if one[:2] not in _OURS]
    ours = [DataSet(*_CHARSET, _UTF8), DataSet(*_VERSION, b"\x00\x04")]
    if caption:
        ours.append(DataSet(*_CAPTION, _cut(caption, CAPTION_MAX_BYTES)))
    room = KEYWORDS_MAX_BYTES
    for tag in tags:
        value = _cut(tag, KEYWORD_MAX_BYTES)
        room -= len(value) + 5
        if room < 0:
            break
        ours.append(DataSet(*_KEYWORD, value))
    envelope = [one for one in kept if one.record == 1]
    rest = [one for one in kept if one.record != 1]
    return b"".join(_packed(one) for one in (*envelope, *ours, *rest))


def datasets(block: bytes) -> Iterator[DataSet]:
    """Up to the first that does not fit."""
    at = 0
    while at + 5 <= len(block) and block[at] == _MARK:
        record, number, size = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5], "big")
        at += 5
        if size & _EXTENDED:
            width = size & ~_EXTENDED
            size = int.from_bytes(block[at : at + width], "big")
            at += width
        if at + size > len(block):
            return
        yield DataSet(record, number, block[at : at + size])
        at += size


def with_iptc(resources: bytes, *, caption: str, tags: Sequence[str]) -> bytes:
    """Photoshop's resources with the IPTC one written; its digest, which no longer fits, goes."""
    found = list(_resources(resources))
    block = next((one.data for one in found if one.kind == IPTC_RESOURCE), b"")
    kept = [one for one in found if one.kind not in (IPTC_RESOURCE, _DIGEST_RESOURCE)]
    head = _RESOURCE + struct.pack(">H", IPTC_RESOURCE) + b"\0\0"
    ours = Resource(IPTC_RESOURCE, head, written(block, caption=caption, tags=tags))
    return b"".join(_padded(one) for one in (*kept, ours))


def _resources(data: bytes) -> Iterator[Resource]:
    """Up to the first that does not fit."""
    at = 0
    while data[at : at + 4] == _RESOURCE and at + 7 <= len(data):
        kind = int.from_bytes(data[at + 4 : at + 6], "big")
        name_bytes = data[at + 6] + 1
        start = at + 6 + name_bytes + name_bytes % 2
        size = int.from_bytes(data[start : start + 4], "big")
        if start + 4 + size > len(data):
            return
        yield Resource(kind, data[at:start], data[start + 4 : start + 4 + size])
        at = start + 4 + size + size % 2


def _padded(one: Resource) -> bytes:
    return one.head + struct.pack(">I", len(one.data)) + one.data + b"\0" * (len(one.data) % 2)


def _packed(one: DataSet) -> bytes:
    head = bytes((_MARK, one.record, one.number))
    if len(one.value) < _EXTENDED:
        return head + struct.pack(">H", len(one.value)) + one.value
    return head + struct.pack(">HI", _EXTENDED | 4, len(one.value)) + one.value


def _as_utf8(one: DataSet) -> DataSet:
    """Text of the application record, which so far was in an unnamed encoding."""
    return (
        one._replace(value=text_of(one.value, is_utf8=False).encode())
        if one.record == 2 and one.number < 200
        else one
    )


def _cut(text: str, most_bytes: int) -> bytes:
    """At most so many bytes, and no part of a character."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore").encode()
