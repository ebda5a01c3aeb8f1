"""Reads what a picture file itself says: keywords and caption in XMP, else in IPTC. Damage is silence, never a refusal.

Pillow finds the blocks; `annotations.xmp` and `annotations.iptc` know what they mean.
"""

from PIL import Image, IptcImagePlugin

from annotations import gif_xmp, iptc
from annotations import xmp as packets
from annotations.picture_decoding import DECODER_ERRORS, PictureError, header
from annotations.xmp import XMP_ERRORS, Said

_KEYWORDS, _CAPTION, _CHARSET = (2, 25), (2, 120), (1, 90)
_UTF8 = b"\x1b%G"
_DAMAGE = (*DECODER_ERRORS, *XMP_ERRORS)


def read(data: bytes) -> Said:
    """Keywords and caption of JPEG, PNG, WebP, TIFF, GIF, AVIF and HEIC. XMP, which cuts nothing, comes before IPTC."""
    try:
        image = header(data)
    except PictureError:
        return Said()
    newer, older = _xmp(image, data), _iptc(image)
    return Said(newer.caption or older.caption, newer.tags or older.tags)


def read_all(data: bytes) -> Said:
    """Every keyword of either kind, for a writer that must lose none."""
    try:
        image = header(data)
    except PictureError:
        return Said()
    newer, older = _xmp(image, data), _iptc(image)
    # IPTC cuts long words: what begins one that XMP has whole is no word of its own.
    more = [word for word in older.tags if not any(whole.startswith(word) for whole in newer.tags)]
    return Said(newer.caption or older.caption, (*newer.tags, *more))


def _xmp(image: Image.Image, data: bytes) -> Said:
    try:
        packet = gif_xmp.packet(data) if image.format == "GIF" else image.info.get("xmp")
        return packets.read(packet) if isinstance(packet, bytes) else Said()
    except (*XMP_ERRORS, *gif_xmp.GIF_ERRORS):
        return Said()


def _iptc(image: Image.Image) -> Said:
    try:
        said = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
    except _DAMAGE:
        return Said()
    is_utf8 = said.get(_CHARSET) == _UTF8

    def texts(name: tuple[int, int]) -> list[str]:
        values = said.get(name, [])
        found = [values] if isinstance(values, bytes) else values
        return [text for value in found if (text := iptc.text_of(value, is_utf8=is_utf8).strip("\0 \r\n\t"))]

    return Said(next(iter(texts(_CAPTION)), ""), tuple(dict.fromkeys(texts(_KEYWORDS))))
