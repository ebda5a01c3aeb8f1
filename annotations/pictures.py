"""Turns uploaded bytes, which may be hostile, into facts, an upright RGB picture and JPEG copies.

Pillow and numpy only: no Django, no database, no storage. A file's name is never looked at. Limits and
refusals are in `picture_decoding`.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from annotations.picture_decoding import DECODER_ERRORS, MAX_BYTES, Decoded, PictureError, decode
from annotations.picture_kinds import EXTENSIONS

__all__ = [
    "RENDITION_SIZES_PX",
    "PictureError",
    "PictureFacts",
    "inspect",
    "open_upright",
    "perceptual_hash",
    "rendition",
]

RENDITION_SIZES_PX = (256, 512, 1024)
_FULL_QUALITY, _THUMBNAIL_QUALITY = 90, 82
_LARGEST_PROFILE_BYTES = 16_384
_WHITE = (255, 255, 255)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class PictureFacts:
    """What is known of one picture file.

    Width and height are those a viewer sees. `upright` says that the stored pixels need no EXIF turn, `phash`
    is signed to fit a bigint column.
    """

    sha256: str
    phash: int
    width_px: int
    height_px: int
    format: str
    size_bytes: int
    extension: str
    upright: bool
    has_gps: bool


def inspect(data: bytes, *, thumbnail_px: int = 256) -> tuple[PictureFacts, bytes]:
    """Return the facts and a JPEG thumbnail (long side at most `thumbnail_px`), both from one decode.

    Raises:
        PictureError: the file is refused; nothing of it was kept.
    """
    decoded = decode(data, long_side_px=thumbnail_px)
    shown = _shown(decoded, long_side_px=thumbnail_px)
    width_px, height_px = decoded.size_px
    facts = PictureFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        phash=perceptual_hash(shown),
        width_px=width_px,
        height_px=height_px,
        format=decoded.kind,
        size_bytes=len(data),
        extension=EXTENSIONS[decoded.kind],
        upright=decoded.upright,
        has_gps=_has_gps(decoded),
    )
    return facts, _jpeg(shown, decoded, quality=_THUMBNAIL_QUALITY)


def open_upright(file: BinaryIO | Path | bytes, *, at_least_px: int | None = None) -> Image.Image:
    """Decode to an upright RGB picture; refuses what `inspect` refuses.

    With `at_least_px`, a JPEG may come at 1/2, 1/4 or 1/8 of its size, its short side never below that.
    """
    return _shown(decode(_read(file), short_side_px=at_least_px))


def rendition(data: bytes, *, size_px: int | None) -> bytes:
    """Return an upright JPEG copy without place or other EXIF: full size for None, else 256, 512 or 1024.

    A thumbnail's long side is `size_px` at most; a small picture is never enlarged.
    """
    if size_px is not None and size_px not in RENDITION_SIZES_PX:
        raise ValueError(f"size_px: expected None or one of {RENDITION_SIZES_PX}, got {size_px}")
    decoded = decode(data, long_side_px=size_px)
    quality = _FULL_QUALITY if size_px is None else _THUMBNAIL_QUALITY
    return _jpeg(_shown(decoded, long_side_px=size_px), decoded, quality=quality)


def perceptual_hash(image: Image.Image) -> int:
    """Return the 64-bit pHash (low frequencies of a 2-D DCT against their median) as a signed integer.

    Near-duplicates differ in few bits. After C. Zauner, "Implementation and Benchmarking of Perceptual Image
    Hash Functions", 2010; rounding keeps floating-point noise out of a flat picture's hash.
    """
    grey = image.convert("L").resize((32, 32), Image.Resampling.BILINEAR)
    low = np.round(_DCT @ np.asarray(grey, dtype=np.float64) @ _DCT.T, 6).ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def _dct_rows(rows: int, points: int) -> np.ndarray:
    frequency, position = np.arange(rows)[:, None], np.arange(points)[None, :]
    return np.asarray(np.cos(np.pi * frequency * (2 * position + 1) / (2 * points)))


_DCT = _dct_rows(8, 32)


def _read(file: BinaryIO | Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    if isinstance(file, Path):
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    return file.read(MAX_BYTES + 1)


def _shown(decoded: Decoded, *, long_side_px: int | None = None) -> Image.Image:
    """The picture as a viewer sees it: RGB over white, scaled down if asked, turned upright."""
    try:
        image = _eight_bit(decoded.pixels)
        if long_side_px is not None:
            image = _scaled_down(image, long_side_px)
        image = _over_white(image)
    except DECODER_ERRORS as error:
        raise PictureError(
            "unsupported_format",
            f"Expected grey, RGB or CMYK colours, got {decoded.pixels.mode}. Convert the picture to RGB.",
        ) from error
    turn = _TURNS.get(decoded.orientation)
    return image if turn is None else image.transpose(turn)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert any mode that Pillow decodes to L, RGB or RGBA."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        return _from_wide_range(np.asarray(image))
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBa", "RGBA"):
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _from_wide_range(values: np.ndarray) -> Image.Image:
    """Map integers (16-bit ones, if any is above 255) or floats ([0, 1], if none is above 1) to 8 bits."""
    peak = float(np.nanmax(values)) if values.size else 0.0
    factor = 255.0 if values.dtype.kind == "f" and peak <= 1 else 1 / 257 if peak > 255 else 1.0
    return Image.fromarray(np.clip(np.nan_to_num(values * factor), 0, 255).astype(np.uint8))


def _scaled_down(image: Image.Image, long_side_px: int) -> Image.Image:
    longest = max(image.size)
    if longest <= long_side_px:
        return image
    width, height = (max(1, round(side * long_side_px / longest)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    page = Image.new("RGB", image.size, _WHITE)
    page.paste(image, mask=image.getchannel("A"))
    return page


def _has_gps(decoded: Decoded) -> bool:
    try:
        stated = bool(decoded.exif.get_ifd(ExifTags.IFD.GPSInfo))
    except DECODER_ERRORS:
        stated = True  # a broken position block may still be readable to somebody else
    return stated or b"GPSLatitude" in _bytes(decoded.pixels.info.get("xmp"))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value or "").encode()


def _jpeg(image: Image.Image, decoded: Decoded, *, quality: int) -> bytes:
    """Encode without EXIF; a small RGB colour profile stays, since the pixels mean nothing without it."""
    profile = _bytes(decoded.pixels.info.get("icc_profile"))
    keep = (
        len(profile) <= _LARGEST_PROFILE_BYTES and profile[16:20] == b"RGB " and decoded.pixels.mode != "CMYK"
    )
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, icc_profile=profile if keep else None)
    return stream.getvalue()
