"""Keywords into picture files of a folder: nothing of an original is lost, and what is written reads back."""

import errno
import os

import exiv2
import pytest

from annotations import xmp
from annotations.errors import Refused
from annotations.exporters import keywords
from annotations.importers import keywords as reader
from annotations.pictures import open_upright
from annotations.services import keyword_files
from annotations.services.keyword_files import Place
from tests.annotations import files

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif", "HEIF": "heic"}


@pytest.fixture(params=FORMATS)
def picture(request, tmp_path):
    path = tmp_path / "in" / f"picture.{FORMATS[request.param]}"
    path.parent.mkdir()
    path.write_bytes(files.picture(3, format=request.param))
    return path


def pixels(path):
    return open_upright(path).tobytes()


def by_exiv2(path):
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    found = {datum.key(): datum for datum in image.xmpData()}["Xmp.dc.subject"]
    return [found.toString(at) for at in range(found.count())]


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


class TestCopies:
    def test_hold_the_words_and_the_original_is_untouched(self, picture, tmp_path):
        before, target = picture.read_bytes(), tmp_path / "out" / "deep" / picture.name
        assert keyword_files.write(Place.COPIES, picture, target, tags=["dog", "犬"], caption="A dog.")
        assert picture.read_bytes() == before
        assert by_exiv2(target) == ["dog", "犬"]
        assert reader.read(target.read_bytes()).caption == "A dog."
        assert pixels(target) == pixels(picture)
        assert listed(target.parent) == [picture.name]

    def test_that_are_there_are_left_alone(self, picture, tmp_path):
        target = tmp_path / "there.jpg"
        target.write_bytes(b"mine")
        assert not keyword_files.write(Place.COPIES, picture, target, tags=["dog"])
        assert target.read_bytes() == b"mine"

    def test_of_a_format_without_room_get_a_sidecar(self, tmp_path):
        picture, target = tmp_path / "plain.bmp", tmp_path / "out" / "plain.bmp"
        picture.write_bytes(files.picture(1, format="BMP"))
        assert keyword_files.write(Place.COPIES, picture, target, tags=["dog"])
        assert target.read_bytes() == picture.read_bytes()
        assert xmp.read((tmp_path / "out" / "plain.bmp.xmp").read_bytes()).tags == ("dog",)


class TestOriginals:
    def test_keep_the_words_that_they_have_in_xmp_and_in_iptc(self, tmp_path):
        path = tmp_path / "picture.jpg"
        data = keywords.embedded(
            files.picture(3, format="JPEG"), caption="Mine.", tags=["Dog", "old, in both"]
        )
        # XMP alone is changed by another program: IPTC keeps a word of its own.
        own = xmp.written(None, caption="Mine.", tags=["Dog", "in xmp"])
        path.write_bytes(replaced_packet(data, own))
        assert keyword_files.write(Place.ORIGINALS, path, path, tags=["dog", "boat"], caption="Theirs.")
        said = reader.read(path.read_bytes())
        assert said.tags == ("Dog", "in xmp", "old, in both", "boat")
        assert said.caption == "Mine."

    def test_a_second_time_changes_not_a_byte(self, picture):
        picture.chmod(0o640)
        assert keyword_files.write(Place.ORIGINALS, picture, picture, tags=["dog"])
        once, when = picture.read_bytes(), picture.stat().st_mtime_ns
        assert not keyword_files.write(Place.ORIGINALS, picture, picture, tags=["dog"])
        assert (picture.read_bytes(), picture.stat().st_mtime_ns) == (once, when)
        assert picture.stat().st_mode & 0o777 == 0o640
        assert listed(picture.parent) == [picture.name]

    def test_what_would_change_a_pixel_is_not_put_in_its_place(self, picture, monkeypatch):
        before = picture.read_bytes()
        other = files.picture(4, format="JPEG")
        monkeypatch.setattr(
            keywords,
            "embedded",
            lambda data, caption, tags, kept=keywords.embedded: kept(other, caption=caption, tags=tags),
        )
        with pytest.raises(Refused, match="did not read back"):
            keyword_files.write(Place.ORIGINALS, picture, picture, tags=["dog"])
        assert picture.read_bytes() == before and listed(picture.parent) == [picture.name]

    def test_a_full_disk_leaves_the_file_as_it_was(self, picture, monkeypatch):
        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        before = picture.read_bytes()
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keyword_files.write(Place.ORIGINALS, picture, picture, tags=["dog"])
        assert picture.read_bytes() == before and listed(picture.parent) == [picture.name]

    def test_a_format_without_room_is_refused(self, tmp_path):
        path = tmp_path / "plain.bmp"
        path.write_bytes(before := files.picture(1, format="BMP"))
        with pytest.raises(Refused, match="holds no keywords"):
            keyword_files.write(Place.ORIGINALS, path, path, tags=["dog"])
        assert path.read_bytes() == before

    def test_a_link_stays_a_link_and_its_file_has_the_words(self, picture, tmp_path):
        link = tmp_path / "link.jpg"
        link.symlink_to(picture)
        assert keyword_files.write(Place.ORIGINALS, link, link, tags=["dog"])
        assert link.is_symlink() and by_exiv2(picture) == ["dog"]


class TestSidecars:
    def test_lie_beside_the_picture_and_keep_what_they_say(self, picture):
        before, sidecar = picture.read_bytes(), picture.with_name(f"{picture.name}.xmp")
        rated = xmp.written(None, caption="", tags=["old"]).replace(
            b'about=""', b'about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"'
        )
        sidecar.write_bytes(rated)
        assert keyword_files.write(Place.SIDECARS, picture, picture, tags=["dog"], caption="A dog.")
        said = sidecar.read_bytes()
        assert xmp.read(said) == xmp.Said("A dog.", ("old", "dog")) and b'Rating="5"' in said
        assert not keyword_files.write(Place.SIDECARS, picture, picture, tags=["dog"])
        assert picture.read_bytes() == before

    def test_one_that_does_not_parse_is_left_alone(self, picture):
        sidecar = picture.with_name(f"{picture.name}.xmp")
        sidecar.write_bytes(b"<x:xmpmeta")
        with pytest.raises(Refused, match="does not parse"):
            keyword_files.write(Place.SIDECARS, picture, picture, tags=["dog"])
        assert sidecar.read_bytes() == b"<x:xmpmeta"


def replaced_packet(data, packet):
    """A JPEG with another XMP packet and everything else as it is."""
    at = data.index(b"http://ns.adobe.com/xap/1.0/\0")
    size = int.from_bytes(data[at - 2 : at], "big")
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return data[: at - 2] + (len(body) + 2).to_bytes(2, "big") + body + data[at - 2 + size :]
