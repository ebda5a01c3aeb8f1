"""Uploads as people and attackers send them: every file here is drawn or built by the test itself."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageDraw, features

from annotations.picture_kinds import webp_canvas
from annotations.pictures import PictureError, inspect, open_upright, perceptual_hash, rendition

RED, GREEN, BLUE = (220, 30, 30), (30, 190, 60), (40, 60, 220)
FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", *(["AVIF"] if features.check("avif") else [])]


def scene(width: int = 640, height: int = 480, *, seed: int = 3) -> Image.Image:
    """A sky, a meadow, shapes and grain: enough texture that every block of a JPEG holds something."""
    image = Image.new("RGB", (width, height), (140, 180, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.6, width, height), fill=(70, 140, 60))
    draw.ellipse((width * 0.1, height * 0.1, width * 0.35, height * 0.45), fill=(240, 220, 60))
    draw.polygon(
        [(width * 0.5, height * 0.7), (width * 0.7, height * 0.2), (width * 0.9, height * 0.7)], fill=RED
    )
    grain = np.random.default_rng(seed).normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    if kind == "HEIF":
        options = {name: exif.tobytes() for name, exif in options.items()}
        pillow_heif.from_pillow(image).save(stream, quality=90, **options)
    else:
        image.save(stream, kind, **options)
    return stream.getvalue()


def marked_corner(kind: str, orientation: int) -> bytes:
    """Blue everywhere but a red top left corner, as stored."""
    image = Image.new("RGB", (320, 160), BLUE)
    image.paste(RED, (0, 0, 80, 80))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif)


def png_header_only(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def refused(data: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        inspect(data)
    return caught.value


def bits_apart(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


def close_to(pixel: tuple[int, ...], colour: tuple[int, ...], *, by: int = 24) -> bool:
    return all(abs(got - wanted) <= by for got, wanted in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_facts_and_a_thumbnail(kind: str) -> None:
    data = encoded(scene(), kind)
    facts, thumbnail = inspect(data)
    assert (facts.format, facts.width_px, facts.height_px) == (kind, 640, 480)
    assert facts.size_bytes == len(data)
    assert facts.extension.startswith(".")
    assert facts.upright
    assert not facts.has_gps
    shown = Image.open(io.BytesIO(thumbnail))
    assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", (256, 192))
    assert bits_apart(facts.phash, inspect(encoded(scene(), "PNG"))[0].phash) <= 6


def test_sha256_agrees_with_the_sha256sum_program() -> None:
    empty_gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    facts, _ = inspect(empty_gif)
    assert facts.sha256 == "6c63cc5063ac82d8bbc925f9a31adf3a87f1510c021e0fde51854d60484b5019"


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("GIF", "BMP")])
@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [
        (1, (320, 160), (20, 20)),
        (2, (320, 160), (300, 20)),
        (3, (320, 160), (300, 140)),
        (4, (320, 160), (20, 140)),
        (5, (160, 320), (20, 20)),
        (6, (160, 320), (140, 20)),
        (7, (160, 320), (140, 300)),
        (8, (160, 320), (20, 300)),
    ],
)
def test_exif_turn_is_applied(
    kind: str, orientation: int, size: tuple[int, int], corner: tuple[int, int]
) -> None:
    data = marked_corner(kind, orientation)
    facts, thumbnail = inspect(data)
    upright = open_upright(data)
    assert (facts.width_px, facts.height_px) == upright.size == size
    assert facts.upright is (orientation == 1)
    assert close_to(upright.getpixel(corner), RED)
    small = Image.open(io.BytesIO(thumbnail))
    at = tuple(int(where * small.width / size[0]) for where in corner)
    assert close_to(small.getpixel(at), RED)


def test_gps_is_noticed_and_does_not_reach_any_copy() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    data = encoded(scene(), "JPEG", exif=exif)
    facts, thumbnail = inspect(data)
    assert facts.has_gps
    for copy in (thumbnail, rendition(data, size_px=None), rendition(data, size_px=512)):
        assert not inspect(copy)[0].has_gps
        assert b"Exif" not in copy


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_modes_become_rgb(mode: str) -> None:
    upright = open_upright(encoded(scene().convert(mode), "PNG"))
    assert upright.mode == "RGB"
    wanted = np.asarray(scene().convert(mode).convert("RGB"), dtype=float)
    assert np.abs(np.asarray(upright, dtype=float) - wanted).mean() < 2


def test_sixteen_bit_grey_keeps_its_range() -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    upright = np.asarray(open_upright(encoded(Image.fromarray(ramp), "PNG")))[0, :, 0]
    assert np.abs(upright.astype(int) - np.arange(256)).max() <= 1


def test_float_tiff_keeps_its_range() -> None:
    ramp = np.tile(np.linspace(0, 1, 256).astype(np.float32), (64, 1))
    upright = np.asarray(open_upright(encoded(Image.fromarray(ramp), "TIFF")))[0, :, 0]
    assert np.abs(upright.astype(int) - np.arange(256)).max() <= 1


def test_transparency_shows_white() -> None:
    image = Image.new("RGBA", (300, 300), (*RED, 0))
    image.paste((*BLUE, 255), (150, 0, 300, 300))
    for data in (encoded(image, "PNG"), encoded(image, "WEBP", lossless=True), encoded(image, "GIF")):
        upright = open_upright(data)
        assert upright.getpixel((50, 150)) == (255, 255, 255)
        assert close_to(upright.getpixel((250, 150)), BLUE)


def test_palette_transparency_shows_white() -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([*RED, *BLUE])
    image.paste(1, (10, 0, 20, 20))
    upright = open_upright(encoded(image, "PNG", transparency=0))
    assert upright.getpixel((3, 3)) == (255, 255, 255)
    assert upright.getpixel((15, 3)) == BLUE


def test_cmyk_jpeg_keeps_its_colours() -> None:
    image = Image.new("RGB", (200, 100), RED)
    image.paste(GREEN, (100, 0, 200, 100))
    data = encoded(image.convert("CMYK"), "JPEG", quality=95)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    upright = open_upright(data)
    assert close_to(upright.getpixel((50, 50)), RED)
    assert close_to(upright.getpixel((150, 50)), GREEN)


def test_ycck_jpeg_is_decoded() -> None:
    data = encoded(Image.new("CMYK", (64, 64), (0, 200, 200, 20)), "JPEG", quality=95)
    marker = data.index(b"Adobe")
    ycck = data[: marker + 11] + b"\x02" + data[marker + 12 :]
    assert open_upright(ycck).size == (64, 64)
    assert inspect(ycck)[0].format == "JPEG"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (120, 90), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert close_to(open_upright(data).getpixel((60, 45)), RED)
    assert inspect(data)[0].format == kind


def test_camera_multi_picture_file_is_a_jpeg() -> None:
    first, second = scene(seed=1), scene(seed=2)
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    facts, _ = inspect(data)
    assert (facts.format, facts.extension, facts.width_px) == ("JPEG", ".jpg", 640)


def test_format_follows_the_content_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(encoded(scene(), "PNG"))
    assert inspect(path.read_bytes())[0].extension == ".png"
    assert open_upright(path).size == (640, 480)
    with path.open("rb") as stream:
        assert open_upright(stream).size == (640, 480)


def test_empty_file_is_refused() -> None:
    assert refused(b"").code == "empty_file"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"just a note\n", "not_an_image", "a text file"),
        (bytes(range(256)) * 9, "not_an_image", "unknown contents"),
        (b"\xff\xd8", "not_an_image", "unknown contents"),
        (b"%PDF-1.7\n...", "not_an_image", "a PDF document"),
        (b"PK\x03\x04" + b"\0" * 60, "not_an_image", "a ZIP archive"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "not_an_image", "a web page"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", "an SVG"),
        (b"8BPS\0\x01" + b"\0" * 60, "unsupported_format", "a Photoshop file"),
    ],
)
def test_other_files_are_refused_by_what_they_are(data: bytes, code: str, words: str) -> None:
    error = refused(data)
    assert error.code == code
    assert words in error.message
    assert error.message.startswith("Expected ")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_cut_jpeg_is_refused(progressive: bool, share: float) -> None:
    data = encoded(scene(), "JPEG", progressive=progressive)
    assert refused(data[: int(len(data) * share)]).code == "truncated"


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("size", [(640, 480), (643, 479), (2001, 1501)])
def test_cut_jpeg_with_an_end_marker_is_refused(share: float, size: tuple[int, int]) -> None:
    data = encoded(scene(*size), "JPEG")
    error = refused(data[: int(len(data) * share)] + b"\xff\xd9")
    assert error.code == "truncated"
    assert "original again" in error.message


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(640, 480), (643, 479), (7, 3000), (2001, 1501)])
def test_whole_jpeg_that_ends_in_one_colour_is_accepted(progressive: bool, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, (250, 250, 250))
    image.paste(scene(size[0], max(1, size[1] // 3)))
    for data in (encoded(image, "JPEG", progressive=progressive), encoded(image.convert("L"), "JPEG")):
        assert (inspect(data)[0].width_px, inspect(data)[0].height_px) == size


def test_jpeg_with_bytes_after_its_end_is_accepted() -> None:
    assert inspect(encoded(scene(), "JPEG") + b"motion photo" * 999)[0].format == "JPEG"


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("AVIF", "HEIF")])
def test_half_a_file_is_refused_as_truncated(kind: str) -> None:
    data = encoded(scene(), kind)
    assert refused(data[: len(data) // 2]).code == "truncated"


def test_png_with_a_flipped_byte_is_refused_as_damaged() -> None:
    data = bytearray(encoded(scene(), "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert refused(bytes(data)).code == "damaged"


@pytest.mark.parametrize(("side", "got"), [(60_000, "3,600 megapixels"), (12_000, "12,000 x 12,000")])
def test_huge_png_is_refused_from_its_header(side: int, got: str) -> None:
    error = refused(png_header_only(side, side))
    assert error.code == "too_large"
    assert got in error.message
    assert "Scale" in error.message


def claiming(kind: str) -> bytes:
    """A small picture whose header says that it has thousands of megapixels, and a BMP's 4 GB of bytes."""
    data = bytearray(encoded(Image.new("RGB", (64, 48), RED), kind))
    if kind == "JPEG":
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 65_535, 65_535)
    elif kind == "GIF":
        struct.pack_into("<HH", data, 6, 65_535, 65_535)
    elif kind == "BMP":
        struct.pack_into("<L", data, 2, 2**32 - 1)
        struct.pack_into("<ll", data, 18, 2_000_000, 2_000_000)
    elif kind == "TIFF":
        at = struct.unpack_from("<L", data, 4)[0] + 2
        for entry in (at, at + 12):  # the first two are width and height
            struct.pack_into("<HLL", data, entry + 2, 4, 1, 100_000)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "TIFF"])
def test_a_header_that_claims_thousands_of_megapixels_is_refused_before_memory_is_taken(kind: str) -> None:
    tracemalloc.start()
    error = refused(claiming(kind))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.code == "too_large"
    assert "megapixels" in error.message and "Scale the picture down" in error.message
    assert peak < 4 * 2**20


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind in ("AVIF", "HEIF")])
def test_a_box_that_claims_other_sides_than_the_picture_has_is_refused(kind: str) -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 48), RED), kind))
    struct.pack_into(">LL", data, data.index(b"ispe") + 8, 100_000, 100_000)
    assert refused(bytes(data)).code in ("too_large", "damaged")


def test_huge_webp_canvas_is_refused_before_it_is_allocated() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    data = bytearray(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert webp_canvas(bytes(data)) == (8, 8)
    data[24:30] = (16_382).to_bytes(3, "little") * 2
    assert refused(bytes(data)).code == "too_large"


@pytest.mark.parametrize("lossless", [False, True])
def test_plain_webp_header_gives_its_canvas(lossless: bool) -> None:
    assert webp_canvas(encoded(scene(123, 45), "WEBP", lossless=lossless)) == (123, 45)


def test_more_bytes_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotations.picture_decoding.MAX_BYTES", 10_000)
    error = refused(encoded(scene(), "PNG"))
    assert error.code == "too_large"
    assert "MB" in error.message


def test_random_damage_never_escapes_as_another_error() -> None:
    rng = np.random.default_rng(11)
    for kind in FORMATS:
        whole = np.frombuffer(encoded(scene(96, 64), kind), dtype=np.uint8)
        for _ in range(60):
            hurt = whole.copy()
            where = rng.integers(0, len(hurt), size=rng.integers(1, 12))
            hurt[where] = rng.integers(0, 256, size=len(where))
            try:
                facts, thumbnail = inspect(hurt[: rng.integers(1, len(hurt) + 1)].tobytes())
            except PictureError as error:
                assert error.message.startswith("Expected ")
            else:
                assert facts.width_px > 0
                assert Image.open(io.BytesIO(thumbnail)).format == "JPEG"


@pytest.mark.parametrize("size", [(1, 1), (12_000, 40), (3, 9_000)])
def test_odd_shapes_have_thumbnails(size: tuple[int, int]) -> None:
    for kind in ("JPEG", "PNG"):
        facts, thumbnail = inspect(encoded(Image.new("RGB", size, GREEN), kind))
        assert (facts.width_px, facts.height_px) == size
        shown = Image.open(io.BytesIO(thumbnail))
        assert max(shown.size) == min(256, max(size))
        assert min(shown.size) >= 1


def test_draft_leaves_the_short_side_long_enough() -> None:
    data = encoded(scene(1200, 800), "JPEG")
    assert open_upright(data, at_least_px=224).size == (600, 400)
    assert open_upright(data, at_least_px=100).size == (150, 100)
    assert open_upright(data, at_least_px=801).size == (1200, 800)


def test_renditions_scale_down_and_never_up() -> None:
    data = encoded(scene(800, 600), "JPEG")
    for size_px, wanted in ((None, (800, 600)), (256, (256, 192)), (512, (512, 384)), (1024, (800, 600))):
        assert Image.open(io.BytesIO(rendition(data, size_px=size_px))).size == wanted
    with pytest.raises(ValueError, match="256, 512, 1024"):
        rendition(data, size_px=300)


def test_small_rgb_profile_stays_and_others_go() -> None:
    profile = b"\0" * 16 + b"RGB " + b"\0" * 200
    kept = rendition(encoded(scene(), "PNG", icc_profile=profile), size_px=None)
    assert Image.open(io.BytesIO(kept)).info["icc_profile"] == profile
    inks = b"\0" * 16 + b"CMYK" + b"\0" * 200
    dropped = rendition(encoded(scene().convert("CMYK"), "JPEG", icc_profile=inks), size_px=None)
    assert "icc_profile" not in Image.open(io.BytesIO(dropped)).info


def test_perceptual_hash_survives_scaling_and_compression_but_not_another_scene() -> None:
    whole = perceptual_hash(scene())
    again = inspect(encoded(scene().resize((320, 240)), "JPEG", quality=40))[0].phash
    other = perceptual_hash(scene().transpose(Image.Transpose.ROTATE_90))
    assert bits_apart(whole, again) <= 6
    assert bits_apart(whole, other) > 12
    assert -(2**63) <= whole < 2**63


def test_perceptual_hash_equals_the_defining_sum() -> None:
    grey = np.asarray(scene().convert("L").resize((32, 32), Image.Resampling.BILINEAR), dtype=float)
    place = np.arange(32)
    low = [
        sum(
            grey[y, x] * np.cos(np.pi * v * (2 * y + 1) / 64) * np.cos(np.pi * u * (2 * x + 1) / 64)
            for y in place
            for x in place
        )
        for v in range(8)
        for u in range(8)
    ]
    bits = "".join("1" if value > np.median(low[1:]) else "0" for value in low)
    assert perceptual_hash(scene()) & (2**64 - 1) == int(bits, 2)
