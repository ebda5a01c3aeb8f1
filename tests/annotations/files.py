"""Real picture files for the tests, drawn with Pillow, and the bad ones that people send."""

import contextlib
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pillow_heif
from PIL import Image, ImageDraw


def picture(
    seed: int = 0,
    *,
    size: tuple[int, int] = (64, 48),
    format: str = "JPEG",
    mode: str = "RGB",
    **options: Any,
) -> bytes:
    """A small picture that differs with its seed. `options` are those of the format's writer."""
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256))
    draw = ImageDraw.Draw(image)
    draw.ellipse((5 + seed % 20, 5, 30 + seed % 20, 40), fill=(255 - seed * 7 % 256, 200, 40))
    draw.line((0, seed % 48, 63, 47), fill=(0, 0, 0), width=3)
    target = io.BytesIO()
    if format == "HEIF":  # which Pillow does not write by itself
        pillow_heif.from_pillow(image.convert(mode)).save(target, **options)
    else:
        image.convert(mode).save(target, format, **options)
    return target.getvalue()


def rotated(seed: int = 0, *, gps: bool = False) -> bytes:
    """A JPEG that EXIF turns by a quarter, with a position if asked for."""
    image = Image.open(io.BytesIO(picture(seed, size=(80, 40))))
    exif = Image.Exif()
    exif[0x0112] = 6
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    target = io.BytesIO()
    image.save(target, "JPEG", exif=exif)
    return target.getvalue()


def animated() -> bytes:
    frames = [Image.open(io.BytesIO(picture(seed))).convert("P") for seed in range(3)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    return target.getvalue()


def sixteen_bit() -> bytes:
    image = Image.new("I;16", (64, 48))
    image.putdata([column * row * 20 for row in range(48) for column in range(64)])
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def huge_png(side: int = 60_000) -> bytes:
    """A PNG whose header promises side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def folder_of(folder: Path, count: int, *, first: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        (folder / f"p{seed:04}.jpg").write_bytes(picture(seed))
    return folder


def zipped(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def tarred(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def written(folder: Path, members: Mapping[str, bytes]) -> Path:
    """The folder with these files in it, and their folders."""
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@contextlib.contextmanager
def full_disk(key: str) -> Iterator[BinaryIO]:
    """In the place of `storage.writer`: the device that is always full."""
    yield open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115


BOUNDARY = "a-boundary-that-no-picture-holds"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(fields: dict) -> bytes:
    """A form as browsers send it, file names with their folders: a field is text, a file or a list of files."""
    parts = []
    for field, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            name, data = one if isinstance(one, tuple) else (None, one.encode())
            label = f'; filename="{name}"' if name is not None else ""
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{label}\r\n\r\n'
            parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
