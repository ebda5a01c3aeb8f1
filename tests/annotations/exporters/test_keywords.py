"""Words written into pictures: read back by two readers that are not ours, with every pixel and all else as it was."""

import io
import struct

import exiv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, IptcImagePlugin, PngImagePlugin

from annotations import iptc, xmp
from annotations.exporters import keywords
from annotations.importers import keywords as reader
from tests.annotations import files

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF"]
WORDS = [
    ("A dog in the grass.", ["dog", "grass"]),
    ("", ["dog"]),
    ("Only a caption", []),
    ("", []),
    (
        "Grün, 犬 & <b>“quoted”</b>\nin two lines",
        ["Straße", "犬", "rock, wet", "a;b|c", "Ben & Jerry’s", "<x>"],
    ),
    ("🐕‍🦺 läuft", ["🐕‍🦺", "family 👩‍👩‍👧"]),
    ("כלב רץ על החוף", ["כלב", "شاطئ"]),
]


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def gif_packet(data):
    """As the specification of XMP says how readers of GIF find it: between the name and the trailer, which is fixed."""
    assert data.count(b"\x21\xff\x0bXMP DataXMP") == 1
    packet, behind = data.split(b"\x21\xff\x0bXMP DataXMP")[1].split(b"\x01\xff\xfe\xfd", 1)
    assert behind.startswith(bytes(range(0xFC, -1, -1)) + b"\0")
    return packet


def by_pillow(data):
    """(caption, tags) of the XMP packet, through Pillow's own reading."""
    image = opened(data)
    if image.format == "GIF":  # of which Pillow leaves the packet out
        image.info["xmp"] = gif_packet(data)
    packet = image.getxmp()["xmpmeta"]["RDF"]
    description = packet.get("Description") or {}

    def items(name, holder):
        found = (
            description.get(name, {}).get(holder, {}).get("li", []) if isinstance(description, dict) else []
        )
        return found if isinstance(found, list) else [found]

    caption = next(
        (item["text"] if isinstance(item, dict) else item for item in items("description", "Alt")), ""
    )
    return caption, items("subject", "Bag")


def by_exiv2(data):
    if data.startswith(b"GIF"):  # exiv2 knows XMP files, but no GIF
        data = gif_packet(data)
    image = exiv2.ImageFactory.open(data)
    image.readMetadata()
    found = {datum.key(): datum for datum in image.xmpData()}
    tags = found.get("Xmp.dc.subject")
    caption = found.get("Xmp.dc.description")
    tag_list = [tags.toString(at) for at in range(tags.count())] if tags else []
    return (caption.toString(0).removeprefix('lang="x-default" ') if caption else ""), tag_list


def iptc_by_pillow(data):
    said = IptcImagePlugin.getiptcinfo(opened(data)) or {}
    tags = said.get((2, 25), [])
    tags = [tags] if isinstance(tags, bytes) else tags
    return said.get((2, 120), b"").decode(), [tag.decode() for tag in tags], said.get((1, 90))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("caption", "tags"), WORDS)
def test_other_readers_find_the_words_and_the_pixels_are_the_same(format, caption, tags):
    before = files.picture(3, format=format)
    after = keywords.embedded(before, caption=caption, tags=tags)
    assert by_pillow(after) == (caption, tags)
    assert by_exiv2(after) == (caption, tags)
    assert np.array_equal(np.asarray(opened(after)), np.asarray(opened(before)))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
@pytest.mark.parametrize(("caption", "tags"), WORDS)
def test_iptc_says_the_same_in_utf8(format, caption, tags):
    after = keywords.embedded(files.picture(3, format=format), caption=caption, tags=tags)
    assert iptc_by_pillow(after) == (caption, tags, b"\x1b%G")


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_is_read_at_an_import(format):
    after = keywords.embedded(files.picture(1, format=format), caption="כלב 🐕", tags=["a, b", "犬"])
    assert reader.read(after) == xmp.Said("כלב 🐕", ("a, b", "犬"))


@pytest.mark.parametrize("format", FORMATS)
def test_words_written_again_replace_those_before(format):
    once = keywords.embedded(files.picture(1, format=format), caption="First", tags=["one", "two"])
    again = keywords.embedded(once, caption="Second", tags=["three"])
    assert by_exiv2(again) == by_pillow(again) == ("Second", ["three"])
    assert keywords.embedded(again, caption="Second", tags=["three"]) is not None
    if format != "TIFF":  # whose former directory stays behind, so that no offset moves
        assert len(again) < len(once) + 10


def test_a_jpegs_scan_and_its_other_segments_are_kept_byte_by_byte():
    before = files.rotated(1, gps=True)
    after = keywords.embedded(before, caption="Turned", tags=["dog"])
    assert after.endswith(before[before.index(b"\xff\xda") :])
    assert opened(after).getexif() == opened(before).getexif()
    assert opened(after).getexif()[0x0112] == 6


def test_other_properties_of_a_packet_stay():
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        b'xmp:Rating="4" dc:description="old"><dc:subject><rdf:Bag><rdf:li>old</rdf:li></rdf:Bag></dc:subject>'
        b"<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    target = io.BytesIO()
    opened(files.picture(1)).save(target, "JPEG", xmp=packet)
    after = keywords.embedded(target.getvalue(), caption="new", tags=["tag"])
    image = exiv2.ImageFactory.open(after)
    image.readMetadata()
    found = {datum.key(): datum.toString() for datum in image.xmpData()}
    assert (found["Xmp.xmp.Rating"], found["Xmp.dc.creator"]) == ("4", "Ada")
    assert by_exiv2(after) == ("new", ["tag"])


def test_other_iptc_datasets_stay_and_old_text_becomes_utf8():
    old = b"\x1c\x02\x50\x00\x04Ren\xe9" + b"\x1c\x02\x19\x00\x03old"
    block = iptc.written(old, caption="", tags=["neu"])
    assert [tuple(one) for one in iptc.datasets(block)] == [
        (1, 90, b"\x1b%G"),
        (2, 0, b"\x00\x04"),
        (2, 25, b"neu"),
        (2, 80, "René".encode()),
    ]


def test_long_words_are_cut_in_iptc_between_characters_and_whole_in_xmp():
    caption, tags = "Ж" * 3_000, ["ж" * 100]
    after = keywords.embedded(files.picture(1), caption=caption, tags=tags)
    assert by_pillow(after) == (caption, tags)
    assert iptc_by_pillow(after)[:2] == ("Ж" * 1_000, ["ж" * 32])


def test_two_thousand_tags_fit():
    tags = [f"tag {number:04} of many" for number in range(1_000)]
    after = keywords.embedded(files.picture(1), caption="", tags=tags)
    assert by_exiv2(after)[1] == tags
    said = iptc_by_pillow(after)[1]
    assert said == tags[: len(said)]


def test_more_than_a_jpeg_segment_holds_is_left_to_the_sidecar():
    caption = "x" * 70_000
    assert keywords.embedded(files.picture(1), caption=caption, tags=[]) is None
    assert by_pillow(keywords.embedded(files.picture(1, format="PNG"), caption=caption, tags=[])) == (
        caption,
        [],
    )


def moving(format):
    target = io.BytesIO()
    frames = [opened(files.picture(seed)) for seed in range(3)]
    frames[0].save(target, format, save_all=True, append_images=frames[1:], duration=80, loop=0)
    return target.getvalue()


@pytest.mark.parametrize("data", [moving("AVIF"), files.picture(1, format="BMP"), b"", b"no picture at all"])
def test_formats_that_hold_no_words_answer_none(data):
    assert keywords.embedded(data, caption="A dog", tags=["dog"]) is None


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_anywhere_answers_none_or_the_words_and_never_raises(format):
    whole = keywords.embedded(files.picture(2, format=format), caption="A dog", tags=["dog"])
    for size in range(0, len(whole), 7):
        after = keywords.embedded(whole[:size], caption="A dog", tags=["dog"])
        assert after is None or len(after) > size // 2


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_every_frame_of_an_animation_stays(format):
    before = moving(format)
    after = keywords.embedded(before, caption="Moving", tags=["dog"])
    one, other = opened(before), opened(after)
    assert (one.n_frames, one.info["loop"]) == (other.n_frames, other.info["loop"]) == (3, 0)
    for frame in range(3):
        one.seek(frame), other.seek(frame)
        assert np.array_equal(np.asarray(one.convert("RGB")), np.asarray(other.convert("RGB")))
        assert one.info["duration"] == other.info["duration"]
    assert by_pillow(after) == ("Moving", ["dog"])


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_a_packet_and_exif_that_a_heic_has_are_kept_beside_the_words(format):
    """As an editor writes them: a rating in the packet, and beside it the camera's own data."""
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    packet = xmp.written(None, caption="old", tags=["old"]).replace(
        b"<rdf:Description", b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"'
    )
    before = files.picture(2, format=format, xmp=packet, exif=exif.tobytes())
    after = keywords.embedded(before, caption="new", tags=["tag"])
    assert by_exiv2(after) == by_pillow(after) == ("new", ["tag"])
    assert b'Rating="4"' in opened(after).info["xmp"]
    assert opened(after).getexif()[0x010F] == "Camera"
    assert np.array_equal(np.asarray(opened(after)), np.asarray(opened(before)))


def test_a_heic_of_several_pictures_keeps_them_all():
    target, several = io.BytesIO(), pillow_heif.HeifFile()
    for seed in range(3):
        several.add_from_pillow(opened(files.picture(seed)))
    several.save(target)
    after = keywords.embedded(target.getvalue(), caption="First", tags=["dog"])
    one, other = Image.open(io.BytesIO(target.getvalue())), Image.open(io.BytesIO(after))
    assert one.n_frames == other.n_frames == 3
    for frame in range(3):
        one.seek(frame), other.seek(frame)
        assert np.array_equal(np.asarray(one), np.asarray(other))
    assert by_exiv2(after) == ("First", ["dog"])


def test_a_heic_with_boxes_that_nobody_here_knows_is_left_alone():
    """A motion photo, say, may count bytes of the file."""
    data = files.picture(1, format="HEIF") + struct.pack(">I4s", 16, b"mpvd") + bytes(8)
    assert keywords.embedded(data, caption="A dog", tags=["dog"]) is None


@pytest.mark.parametrize("format", FORMATS)
def test_damage_anywhere_answers_none_or_a_file_and_never_raises(format):
    whole = keywords.embedded(files.picture(2, format=format), caption="A dog", tags=["dog"])
    for at in range(min(len(whole), 900)):
        for value in (0, 255, whole[at] ^ 1):
            after = keywords.embedded(whole[:at] + bytes((value,)) + whole[at + 1 :], caption="x", tags=["y"])
            assert after is None or b"<rdf:li>y</rdf:li>" in after


def test_a_file_of_several_pictures_is_left_alone():
    target = io.BytesIO()
    first, second = opened(files.picture(1)), opened(files.picture(2))
    first.save(target, "MPO", save_all=True, append_images=[second])
    assert keywords.embedded(target.getvalue(), caption="A dog", tags=[]) is None


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_simple_webp_files_keep_size_and_transparency(options, mode):
    target = io.BytesIO()
    picture = opened(files.picture(1)).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(target, "WEBP", **options)
    after = keywords.embedded(target.getvalue(), caption="", tags=["dog"])
    assert (opened(after).mode, opened(after).size) == (mode, picture.size)
    assert np.array_equal(np.asarray(opened(after)), np.asarray(opened(target.getvalue())))


def test_a_compressed_packet_of_a_png_is_replaced():
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "<x/>" * 50, zip=True)
    target = io.BytesIO()
    opened(files.picture(1, format="PNG")).save(target, "PNG", pnginfo=info)
    after = keywords.embedded(target.getvalue(), caption="A dog", tags=["dog"])
    assert by_exiv2(after) == ("A dog", ["dog"])


def test_motorolas_byte_order_and_pages_of_a_tiff_are_kept():
    order = ">"
    directory = struct.pack(order + "H", 8)
    entries = [(256, 3, 1, 2 << 16), (257, 3, 1, 1 << 16), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16)]
    entries += [(262, 3, 1, 1 << 16), (273, 4, 1, 8), (278, 3, 1, 1 << 16), (279, 4, 1, 2)]
    directory += b"".join(struct.pack(order + "HHII", *entry) for entry in entries) + b"\0\0\0\0"
    before = b"MM\0*" + struct.pack(order + "I", 10) + b"\x10\x20" + directory
    after = keywords.embedded(before, caption="Two pixels", tags=["grey"])
    assert np.asarray(opened(after)).tolist() == [[16, 32]]
    assert by_pillow(after) == by_exiv2(after) == ("Two pixels", ["grey"])


@pytest.mark.parametrize(("caption", "tags"), WORDS)
def test_a_sidecar_says_the_same(caption, tags, tmp_path):
    file = tmp_path / "picture.xmp"
    file.write_bytes(keywords.sidecar(caption=caption, tags=tags))
    assert by_exiv2(file.read_bytes()) == (caption, tags)
    assert xmp.read(file.read_bytes()) == xmp.Said(caption, tuple(tags))


def test_characters_that_xml_cannot_hold_are_left_out():
    after = keywords.embedded(files.picture(1), caption="a\x00b\x0bc\ufffe", tags=["d\x1f"])
    assert by_exiv2(after) == ("abc", ["d"])
