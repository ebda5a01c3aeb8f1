"""What files say of themselves is read, whoever wrote it; damage and hostility are silence."""

import io

import exiv2
import pytest
from PIL import Image, PngImagePlugin

from annotations.importers import keywords
from annotations.xmp import Said
from tests.annotations import files

NOTHING = Said()


def by_exiv2(data, **values):
    """The picture with metadata that exiv2 has written."""
    image = exiv2.ImageFactory.open(data)
    image.readMetadata()
    if "tags" in values:
        image.xmpData()["Xmp.dc.subject"] = exiv2.XmpArrayValue(values["tags"], exiv2.TypeId.xmpBag)
    if "caption" in values:
        image.xmpData()["Xmp.dc.description"] = values["caption"]
    for tag in values.get("iptc", ()):
        image.iptcData().add(
            exiv2.Iptcdatum(exiv2.IptcKey("Iptc.Application2.Keywords"), exiv2.StringValue(tag))
        )
    if "iptc_caption" in values:
        image.iptcData()["Iptc.Application2.Caption"] = values["iptc_caption"]
    image.writeMetadata()
    return bytes(image.io().data())


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_xmp_of_another_writer_is_read(format):
    data = by_exiv2(files.picture(1, format=format), tags=["dog", "Straße"], caption="Ein Hund 🐕")
    assert keywords.read(data) == Said("Ein Hund 🐕", ("dog", "Straße"))


def packet_of_exiv2():
    return Image.open(
        io.BytesIO(by_exiv2(files.picture(1), tags=["dog", "Straße"], caption="Ein Hund 🐕"))
    ).info["xmp"]


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_a_packet_that_libheif_or_libavif_has_written_is_read(format):
    data = files.picture(1, format=format, xmp=packet_of_exiv2())
    assert keywords.read(data) == Said("Ein Hund 🐕", ("dog", "Straße"))


@pytest.mark.parametrize("at", ["head", "tail"])
def test_a_packet_in_a_gif_is_read_wherever_it_stands(at):
    plain = files.animated()
    head = 13 + (3 << ((plain[10] & 7) + 1))
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    block = b"!\xff\x0bXMP DataXMP" + packet_of_exiv2() + trailer
    where = head if at == "head" else len(plain) - 1
    data = plain[:where] + block + plain[where:]
    assert Image.open(io.BytesIO(data)).n_frames == Image.open(io.BytesIO(plain)).n_frames
    assert keywords.read(data) == Said("Ein Hund 🐕", ("dog", "Straße"))
    for size in range(0, len(data), 11):
        assert isinstance(keywords.read(data[:size]), Said)


def test_iptc_is_read_where_there_is_no_xmp():
    data = by_exiv2(files.picture(1), iptc=["dog", "grass"], iptc_caption="A dog")
    assert keywords.read(data) == Said("A dog", ("dog", "grass"))


def test_iptc_without_a_stated_encoding_is_read_as_what_it_can_be():
    block = b"".join(
        b"\x1c\x02\x19" + len(value).to_bytes(2, "big") + value for value in (b"caf\xe9", "犬".encode())
    )
    resource = b"8BIM\x04\x04\0\0" + len(block).to_bytes(4, "big") + block + b"\0" * (len(block) % 2)
    payload = b"Photoshop 3.0\0" + resource
    plain = files.picture(1)
    data = plain[:2] + b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload + plain[2:]
    assert keywords.read(data).tags == ("café", "犬")


def test_xmp_which_cuts_nothing_comes_first():
    long = "a keyword of more than sixty-four bytes, which the older form has to cut short"
    data = by_exiv2(files.picture(1), tags=[long], iptc=[long[:64]], iptc_caption="Only here")
    assert keywords.read(data) == Said("Only here", (long,))


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        b"<x:xmpmeta",
        b"\xff\xfe\x00",
        b"<a/>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description/></r:RDF>',
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_broken_or_hostile_packet_says_nothing(packet, format):
    target = io.BytesIO()
    options = {"xmp": packet}
    if format == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode("latin-1"))
        options = {"pnginfo": info}
    Image.open(io.BytesIO(files.picture(1))).save(target, format, **options)
    assert keywords.read(target.getvalue()) == NOTHING


def test_a_picture_without_metadata_and_what_is_none_say_nothing():
    for data in (files.picture(1), files.animated(), b"", b"no picture", files.huge_png()):
        assert keywords.read(data) == NOTHING


def test_no_damage_anywhere_in_the_metadata_raises():
    data = bytearray(by_exiv2(files.picture(1), tags=["dog"], iptc=["dog"], iptc_caption="A dog"))
    end = data.index(b"\xff\xda")
    for at in range(2, end, 3):
        damaged = bytes(data[:at]) + bytes((data[at] ^ 0xFF,)) + bytes(data[at + 1 :])
        assert isinstance(keywords.read(damaged), Said)
