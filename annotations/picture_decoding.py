"""Opens and decodes picture bytes within limits, or refuses them with a reason a person can act on.

Colours, turning and copies are in `pictures`; what a refused file is, in `picture_kinds`.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pi_heif
from PIL import ExifTags, Image, features

from annotations.picture_kinds import EXTENSIONS, describe, looks_cut, webp_canvas

MAX_BYTES = 100 * 2**20
MAX_PIXELS = 200_000_000
# Only JPEG decodes at a fraction of its size; every other format pays for each pixel in memory.
MAX_PIXELS_UNSCALED = 64_000_000

# Pillow's parsers answer a malformed file with any of these, depending on where they stumble.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# HEIC, which Pillow does not read by itself. Whatever else lies in such a file stays unread.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
_FORMATS = [name for name in EXTENSIONS if name != "AVIF" or features.check("avif")]
_PROBE = b"\x2a\x95" * 64

# Pillow warns above this size and refuses above twice of it; `_check_size` is the rule people are told.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class PictureError(Exception):
    """A file that is refused; `code` is stable, `message` says expected, got and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Decoded:
    """Pixels in the file's own mode, perhaps at a JPEG scale, with the turn they still need.

    `size_px` is the whole picture's width and height once turned; `upright` means the file stores no turn.
    """

    pixels: Image.Image
    kind: str
    size_px: tuple[int, int]
    orientation: int
    upright: bool
    exif: Image.Exif


def decode(data: bytes, *, long_side_px: int | None = None, short_side_px: int | None = None) -> Decoded:
    """Decode the first frame; a JPEG at the smallest scale that leaves the wanted side at least that long."""
    image = _open(data)
    kind, stored_size = _kind(image), image.size
    request = _draft_size(stored_size, long_side_px, short_side_px) if kind == "JPEG" else None
    # A PNG's EXIF may stand behind its pixels, and a TIFF is turned by Pillow while it loads.
    stored_orientation = 1 if kind == "PNG" else orientation_of(_exif(image))
    if kind == "HEIF":  # turned while it was opened
        stored_orientation = image.info.get("original_orientation") or 1
    if request:
        image.draft(None, request)
    _load(image, data)
    if kind == "JPEG" and _ends_flat(image) and _ends_early(image, data, request):
        raise _refusal(data, "truncated")
    _check_size(*image.size, kind)
    exif = _exif(image)
    left = orientation_of(exif)
    width, height = stored_size if kind == "JPEG" else image.size
    return Decoded(
        pixels=image,
        kind=kind,
        size_px=(height, width) if left >= 5 else (width, height),
        orientation=left,
        upright=stored_orientation == 1 and left == 1,
        exif=exif,
    )


def header(data: bytes) -> Image.Image:
    """The file with its header parsed and no pixel decoded; refuses what `decode` refuses by then."""
    return _open(data)


def orientation_of(exif: Image.Exif) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where it is missing or senseless."""
    value = exif.get(ExifTags.Base.Orientation, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _open(data: bytes) -> Image.Image:
    """Parse the header alone and refuse what must not be decoded."""
    if not data:
        raise PictureError("empty_file", "Expected a picture, got an empty file. Send the file again.")
    if len(data) > MAX_BYTES:
        raise PictureError(
            "too_large",
            f"Expected at most {MAX_BYTES // 2**20} MB, got {len(data) / 2**20:,.1f} MB or more. "
            "Save the picture smaller or at a lower quality.",
        )
    if canvas := webp_canvas(data):  # Pillow allocates this format's canvas while it opens the file
        _check_size(*canvas, "WEBP")
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        _check_size(*image.size, _kind(image))
        if image.format == "PNG":
            image.verify()  # the checksums, which decoding skips; the file has to be opened anew after it
            image = Image.open(io.BytesIO(data), formats=["PNG"])
    except _BOMBS as error:
        raise _too_many_pixels(_pixels_named_in(error), describe(data)[1]) from error
    except DECODER_ERRORS as error:
        raise _refusal(data, str(error)) from error
    return image


def _load(image: Image.Image, data: bytes) -> None:
    try:
        image.load()
    except _BOMBS as error:
        raise _too_many_pixels(_pixels_named_in(error), describe(data)[1]) from error
    except DECODER_ERRORS as error:
        raise _refusal(data, str(error)) from error


def _kind(image: Image.Image) -> str:
    """The format's name; a camera's multi-picture file (MPO) is a JPEG to everybody else."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _draft_size(size: tuple[int, int], long_px: int | None, short_px: int | None) -> tuple[int, int] | None:
    """The size to ask of the JPEG decoder, which then takes its next larger scale; None for full size."""
    wanted, side = (long_px, max(size)) if long_px else (short_px, min(size))
    if not wanted or wanted >= side:
        return None
    return -(-size[0] * wanted // side), -(-size[1] * wanted // side)


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except DECODER_ERRORS:
        return Image.Exif()


def _ends_flat(image: Image.Image) -> bool:
    """Whether the last row ends in one colour, as it does where libjpeg had to invent the rest."""
    width, height = image.size
    tail = np.asarray(image.crop((width - max(width // 4, 1), height - 1, width, height)))
    return bool((tail == tail[:, :1]).all())


def _ends_early(image: Image.Image, data: bytes, request: tuple[int, int] | None) -> bool:
    """Whether a JPEG's scan stops before its pixels do although an end marker follows.

    libjpeg then invents the rest without an error. Bytes put in front of the end marker are ignored after a
    whole scan but become pixels after a cut one, so two decodes that differ give a cut file away.
    """
    end = data.rfind(b"\xff\xd9")
    try:
        probe = Image.open(io.BytesIO(data[:end] + _PROBE + data[end:]), formats=["JPEG"])
        if request:
            probe.draft(None, request)
        probe.load()
    except DECODER_ERRORS:
        return True
    return probe.tobytes() != image.tobytes()


def _check_size(width: int, height: int, kind: str) -> None:
    if width * height > _pixel_limit(kind):
        raise _too_many_pixels(f"{width:,} x {height:,}", kind)
    if width < 1 or height < 1:
        raise PictureError("damaged", f"Expected pixels, got {width} x {height}. Export the picture again.")


def _pixel_limit(kind: str) -> int:
    return MAX_PIXELS if kind == "JPEG" else MAX_PIXELS_UNSCALED


def _too_many_pixels(got: str, kind: str) -> PictureError:
    return PictureError(
        "too_large",
        f"Expected at most {_pixel_limit(kind) // 10**6} megapixels in a {kind}, got {got}. "
        "Scale the picture down and send it again.",
    )


def _pixels_named_in(error: BaseException) -> str:
    found = re.search(r"\d+", str(error))
    return f"{int(found.group()) / 1e6:,.0f} megapixels" if found else "more"


def _refusal(data: bytes, reason: str) -> PictureError:
    """Say what a file is that could not be opened or decoded."""
    code, got = describe(data)
    if code == "not_an_image":
        return PictureError(code, f"Expected a picture, got {got}. Choose a JPEG, PNG or WebP file.")
    if code == "unsupported_format":
        return PictureError(
            code, f"Expected {', '.join(_FORMATS)}, got {got}. Convert it to JPEG or PNG and send it again."
        )
    if looks_cut(data, got) or "truncated" in reason.lower():
        return PictureError(
            "truncated",
            f"Expected a whole {got} file, got one whose end is missing ({len(data):,} bytes arrived). "
            "Copy or download the original again.",
        )
    return PictureError(
        "damaged",
        f"Expected a readable {got} file, got one with broken contents. "
        "Open it in an image editor and export it again.",
    )
