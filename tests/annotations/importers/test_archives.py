"""Archives of every kind, and those that are made to fill disks, memory or folders outside."""

import bz2
import contextlib
import gzip
import io
import lzma
import random
import struct
import tarfile
import tracemalloc
import zipfile

import pytest

from annotations.errors import BadInput, TooLarge
from annotations.importers.archives import opening, tars, unpacking, zips
from annotations.services import storage

PACKED = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


def read(data, name="a.tar"):
    return opening.read(io.BytesIO(data), area="staging/test", source_name=name)


def tar(*members, **options):
    """A tar of (name, bytes) or of TarInfo's, which have no bytes."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", **options) as archive:
        for member in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member[0])
            data = b"" if isinstance(member, tarfile.TarInfo) else member[1]
            info.size = len(data) if data else info.size
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def zipped(*members, **options):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def member(name, kind=tarfile.REGTYPE, *, target="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


def codes(batch):
    return [(error.item, error.code) for error in batch.errors]


def landed(batch):
    return {file.name: storage.read(file.key) for file in batch.files}


@pytest.mark.parametrize("kind", PACKED)
def test_a_tar_of_every_packing_is_staged(kind):
    data = PACKED[kind](tar(("walk/a.jpg", b"first"), ("b.jpg", b"x" * 100_000)))
    batch = read(data, f"pictures.{kind}")
    assert landed(batch) == {"walk/a.jpg": b"first", "b.jpg": b"x" * 100_000}
    assert not batch.errors


def test_what_it_is_is_told_by_its_bytes_not_its_name():
    assert list(landed(read(zipped(("a.jpg", b"x")), "pictures.tar"))) == ["a.jpg"]
    assert list(landed(read(gzip.compress(tar(("a.jpg", b"x"))), "pictures.tar"))) == ["a.jpg"]


def test_members_that_lead_out_or_are_no_files_are_refused_by_name():
    batch = read(
        tar(
            ("../../evil.jpg", b"x"),
            ("/etc/evil.jpg", b"x"),
            ("C:\\evil.jpg", b"x"),
            member("link.jpg", tarfile.SYMTYPE, target="/etc/passwd"),
            member("hard.jpg", tarfile.LNKTYPE, target="good.jpg"),
            member("disk.jpg", tarfile.BLKTYPE),
            member("tty.jpg", tarfile.CHRTYPE),
            member("pipe.jpg", tarfile.FIFOTYPE),
            member("folder", tarfile.DIRTYPE),
            ("__MACOSX/._good.jpg", b"x"),
            (".DS_Store", b"x"),
            ("manifest.json", b"{}"),
            ("good.jpg", b"fine"),
        )
    )
    assert landed(batch) == {"good.jpg": b"fine"}
    assert codes(batch) == [
        ("../../evil.jpg", "unsafe_path"),
        ("/etc/evil.jpg", "unsafe_path"),
        ("C:\\evil.jpg", "unsafe_path"),
        ("link.jpg", "link"),
        ("hard.jpg", "link"),
        ("disk.jpg", "not_a_file"),
        ("tty.jpg", "not_a_file"),
        ("pipe.jpg", "not_a_file"),
    ]


def test_a_header_that_claims_ten_gigabytes_is_refused_and_what_came_before_lands():
    good = tar(("good.jpg", b"fine"))[: 2 * 512]
    claim = member("claim.jpg", size=10 * 2**30).tobuf(tarfile.GNU_FORMAT)
    batch = read(good + claim + b"x" * 2_048)
    assert landed(batch) == {"good.jpg": b"fine"}
    assert codes(batch) == [("claim.jpg", "too_large"), ("a.tar", "damaged")]


def test_a_zip_entry_that_claims_ten_gigabytes_is_refused_and_the_rest_lands():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("claim.jpg", b"little")
        archive.writestr("good.jpg", b"fine")
        archive.getinfo("claim.jpg").file_size = 10 * 2**30  # the list of entries is written at the end
    batch = read(target.getvalue(), "a.zip")
    assert landed(batch) == {"good.jpg": b"fine"}
    assert codes(batch) == [("claim.jpg", "too_large")]
    assert "got 10,240 MB. Make it smaller" in batch.errors[0].message


def test_entries_of_a_zip_that_lead_out_are_refused_by_name():
    bad = [
        "../evil.jpg",
        "/etc/evil.jpg",
        "C:\\evil.jpg",
        "..\\evil.jpg",
        "a/../../evil.jpg",
        "\\\\host\\evil.jpg",
    ]
    batch = read(zipped(*[(zipfile.ZipInfo(name), b"x") for name in bad], ("good.jpg", b"fine")), "a.zip")
    assert landed(batch) == {"good.jpg": b"fine"}
    assert codes(batch) == [(name, "unsafe_path") for name in bad]


@contextlib.contextmanager
def full(key):
    with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
        yield device


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar", tar)])
def test_a_full_disk_is_not_taken_for_a_damaged_archive(name, pack, monkeypatch):
    monkeypatch.setattr(storage, "writer", full)
    with pytest.raises(OSError, match="No space left"):
        read(pack(("a.jpg", b"x"), ("b.jpg", b"y")), name)


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_what_is_skipped_counts_too(kind, monkeypatch):
    """A member that is refused by its size must be unpacked to reach the next."""
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 8 * 2**20)
    monkeypatch.setattr(unpacking, "MAX_BYTES", 2**20)
    data = PACKED[kind](tar(("zeros.jpg", bytes(16 * 2**20)), ("b.jpg", b"x")))
    with pytest.raises(TooLarge, match="once unpacked") as refusal:
        read(data)
    assert refusal.value.code == "archive_too_large"


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_tar_that_unpacks_to_hundreds_of_times_its_size_is_refused(kind, monkeypatch):
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 2**20)
    with pytest.raises(TooLarge, match="200 times") as refusal:
        read(PACKED[kind](tar(("zeros.jpg", bytes(16 * 2**20)))))
    assert refusal.value.code == "archive_bomb"


def test_a_zip_that_unpacks_to_hundreds_of_times_its_size_is_refused(monkeypatch):
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 2**20)
    bomb = zipped(("zeros.jpg", bytes(16 * 2**20)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(TooLarge, match="200 times"):
        read(bomb, "a.zip")
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 64 * 2**20)
    assert len(read(bomb, "a.zip").files) == 1


def test_a_zip_whose_entries_share_their_bytes_is_counted_by_what_comes_out(monkeypatch):
    """Headers that point at the same bytes multiply them without growing the archive."""
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 2**20)
    data = bytearray(
        zipped(*[(f"{n:03}.jpg", bytes(2**20)) for n in range(20)], compression=zipfile.ZIP_DEFLATED)
    )
    at = data.find(b"PK\1\2")
    while at >= 0:
        struct.pack_into("<L", data, at + 42, 0)
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        data[at + 46 : at + 46 + name] = b"000.jpg"
        at = data.find(b"PK\1\2", at + 46 + extra + comment)
    with pytest.raises(TooLarge):
        read(bytes(data), "a.zip")


def test_a_long_list_of_entries_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(zips, "_MAX_DIRECTORY_BYTES", 2_000)
    with pytest.raises(TooLarge, match="list of files"):
        read(zipped(*[(f"{n}.jpg", b"") for n in range(200)]), "a.zip")


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 3)
    for name, data in (
        ("a.tar", tar(*[(f"{n}.jpg", b"x") for n in range(4)])),
        ("a.zip", zipped(*[(f"{n}.jpg", b"") for n in range(4)])),
    ):
        with pytest.raises(TooLarge) as refusal:
            read(data, name)
        assert refusal.value.code == "too_many_files"


def test_millions_of_empty_members_are_neither_kept_nor_read_to_the_end(monkeypatch):
    monkeypatch.setattr(tars, "_MAX_MEMBERS", 2_000)
    data = tar(*[member(f"folder{n}", tarfile.DIRTYPE) for n in range(3_000)])
    tracemalloc.start()
    with pytest.raises(TooLarge, match="members"):
        read(data)
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_a_name_of_a_gigabyte_is_not_taken_into_memory():
    header = member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=2**30).tobuf(tarfile.GNU_FORMAT)
    batch = read(tar(("good.jpg", b"fine"))[: 2 * 512] + header + bytes(4_096))
    assert list(landed(batch)) == ["good.jpg"]
    assert codes(batch) == [("a.tar", "damaged")]


def test_xz_that_asks_for_gigabytes_of_memory_is_refused():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 512 * 2**20}]
    with pytest.raises(BadInput) as refusal:
        read(lzma.compress(tar(("a.jpg", b"x")), filters=filters))
    assert refusal.value.code == "bad_archive"


def test_several_xz_streams_are_one_archive():
    data = tar(("a.jpg", b"x" * 5_000), ("b.jpg", b"y"))
    packed = lzma.compress(data[:3_000]) + lzma.compress(data[3_000:])
    assert set(landed(read(packed))) == {"a.jpg", "b.jpg"}


@pytest.mark.parametrize("kind", PACKED)
def test_an_archive_that_breaks_off_keeps_what_came_before(kind):
    noise = random.Random(1)
    data = PACKED[kind](
        tar(("good.jpg", noise.randbytes(2_000_000)), ("cut.jpg", noise.randbytes(2_000_000)))
    )
    batch = read(data[: len(data) * 3 // 4])
    assert list(landed(batch)) == ["good.jpg"]
    assert codes(batch)[-1] == ("a.tar", "damaged")


@pytest.mark.parametrize("data", [b"", b"no archive at all" * 100, b"\x1f\x8bnot gzip", b"PK but no archive"])
def test_what_is_no_archive_is_refused(data):
    with pytest.raises(BadInput) as refusal:
        read(data)
    assert refusal.value.code == "bad_archive"


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_entry_of_a_zip_is_named_and_the_rest_lands(packing):
    noise = random.Random(1).randbytes(1_000)
    whole = zipped(("bad.jpg", noise), ("good.jpg", b"fine"), compression=packing)
    start, size = 30 + len("bad.jpg"), zipfile.ZipFile(io.BytesIO(whole)).getinfo("bad.jpg").compress_size
    for at in range(start, start + size, 7):
        data = bytearray(whole)
        data[at] ^= 0xFF
        batch = read(bytes(data), "a.zip")
        bad = [("bad.jpg", "damaged")] if "bad.jpg" not in landed(batch) else []
        assert landed(batch)["good.jpg"] == b"fine"
        assert codes(batch) == bad and (bad or landed(batch)["bad.jpg"] == noise)


def test_tables_beside_the_pictures_are_opened_where_they_lie():
    batch = read(
        tar(
            ("train/metadata.csv", b"file_name,text\na.jpg,x\n"),
            ("train/a.jpg", b"x"),
            ("notes.csv", b"when,what\n1,2\n"),
            ("captions.csv", b"name,caption\na.jpg,words\n"),
        )
    )
    assert [(one.table.name, one.folder) for one in batch.tables] == [("train/metadata.csv", "train")]
    assert batch.words["a.jpg"].caption == "words"
    assert codes(batch) == [("notes.csv", "missing_column")]
