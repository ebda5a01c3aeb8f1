"""Tells by its first bytes what a file is, for refusals that name it. Decodes nothing and trusts nothing."""

import struct

EXTENSIONS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
    "HEIF": ".heic",
}

_HANDLED = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_PICTURES_NOT_HANDLED = (
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\0\0\x01\0", "an icon"),
    (b"DDS ", "a DirectDraw texture"),
    (b"qoif", "a QOI picture"),
    (b"v/1\x01", "an OpenEXR picture"),
)
_OTHER_FILES = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_END_OF_FILE = {"JPEG": b"\xff\xd9", "PNG": b"IEND", "GIF": b";"}
_TAIL_BYTES = 4096


def describe(data: bytes) -> tuple[str, str]:
    """Return a refusal's code and the words for what was got; code "handled" with a format's name."""
    for start, kind in _HANDLED:
        if data.startswith(start):
            return "handled", kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "handled", "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_media(data[8:12])
    for start, words in _PICTURES_NOT_HANDLED:
        if data.startswith(start):
            return "unsupported_format", words
    for start, words in _OTHER_FILES:
        if data.startswith(start):
            return "not_an_image", words
    return _text_or_unknown(data)


def _iso_media(brand: bytes) -> tuple[str, str]:
    if brand in (b"avif", b"avis"):
        return "handled", "AVIF"
    if brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"):
        return "handled", "HEIF"
    return "not_an_image", "a video"


def _text_or_unknown(data: bytes) -> tuple[str, str]:
    start = data[:4096].replace(b"\0", b"").decode("utf-8-sig", "replace").lstrip().lower()
    if "<svg" in start and start.startswith("<"):
        return "unsupported_format", "an SVG drawing"
    if start.startswith(("<!doctype html", "<html", "<head", "<body")) or "<html" in start:
        return "not_an_image", "a web page (HTML)"
    if start and "\ufffd" not in start and all(sign.isprintable() or sign.isspace() for sign in start):
        return "not_an_image", "a text file"
    return "not_an_image", "a file of unknown contents"


def looks_cut(data: bytes, kind: str) -> bool:
    """Whether the file lacks the mark or the length that its format ends with."""
    if kind in _END_OF_FILE:
        return _END_OF_FILE[kind] not in data[-_TAIL_BYTES:]
    if kind == "WEBP" and len(data) >= 8:
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind == "BMP" and len(data) >= 6:
        return int.from_bytes(data[2:6], "little") > len(data)
    return len(data) < 16


def webp_canvas(data: bytes) -> tuple[int, int] | None:
    """Return width and height as a WebP header states them; None for anything else."""
    if not (data.startswith(b"RIFF") and data[8:12] == b"WEBP" and len(data) >= 30):
        return None
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF
