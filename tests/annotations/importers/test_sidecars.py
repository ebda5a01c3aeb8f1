"""Files beside pictures: found by name, read by their ending, and taken for what they are."""

import json

import pytest

from annotations.exporters import keywords
from annotations.importers import sidecars
from annotations.importers.base import Batch, StagedFile, Words
from annotations.services import storage


@pytest.fixture
def batch(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"

    def made(**contents):
        return Batch(tuple(staged(name.replace("__", "/"), data) for name, data in contents["files"].items()))

    def staged(name, data):
        key = f"staging/{abs(hash(name))}"
        storage.put(key, data)
        return StagedFile(name, key)

    return lambda files: made(files=files)


def words_of(batch):
    return {file.name: file.words for file in batch.files}


def test_each_kind_is_found_beside_its_picture(batch):
    taken = sidecars.take(
        batch(
            {
                "a.jpg": b"",
                "a.xmp": keywords.sidecar(caption="By xmp", tags=["dog"]),
                "b.JPG": b"",
                "b.JPG.XMP": keywords.sidecar(caption="", tags=["cat"]),
                "in/c.png": b"",
                "in/c.txt": b"A boat on the lake.",
                "d.webp": b"",
                "d.json": json.dumps(
                    {"caption": "By json", "tags": ["tree"], "metadata": {"by": "Ada"}}
                ).encode(),
            }
        )
    )
    assert taken.errors == ()
    assert words_of(taken) == {
        "a.jpg": Words("By xmp", ("dog",)),
        "b.JPG": Words(None, ("cat",)),
        "in/c.png": Words("A boat on the lake."),
        "d.webp": Words("By json", ("tree",), metadata={"by": "Ada"}),
    }


def test_several_add_to_each_other_and_the_first_caption_stands(batch):
    taken = sidecars.take(
        batch(
            {
                "a.jpg": b"",
                "a.jpg.xmp": keywords.sidecar(caption="First", tags=["dog"]),
                "a.txt": b"dog, wet grass",
            }
        )
    )
    assert words_of(taken) == {"a.jpg": Words("First", ("dog", "wet grass"))}


def test_one_for_two_pictures_of_the_same_name_serves_both(batch):
    taken = sidecars.take(batch({"a.jpg": b"", "a.png": b"", "a.txt": b"A dog."}))
    assert words_of(taken) == {"a.jpg": Words("A dog."), "a.png": Words("A dog.")}


def test_a_folder_apart_is_another_picture(batch):
    taken = sidecars.take(batch({"one/a.jpg": b"", "two/a.txt": b"A dog."}))
    assert words_of(taken) == {"one/a.jpg": Words(), "two/a.txt": Words()}


def test_one_without_a_picture_stays_a_file(batch):
    assert [file.name for file in sidecars.take(batch({"a.jpg": b"", "readme.txt": b"Hello."})).files] == [
        "a.jpg",
        "readme.txt",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"dog, wet grass, blue sky", Words(tags=("dog", "wet grass", "blue sky"))),
        (b"dog\ngrass\n", Words(tags=("dog", "grass"))),
        (b"1girl, solo, 1girl", Words(tags=("1girl", "solo"))),
        (
            b"A dog, which is wet, runs over the green grass.",
            Words("A dog, which is wet, runs over the green grass."),
        ),
        (b"a photograph of a dog, sitting", Words("a photograph of a dog, sitting")),
        (b"dog", Words("dog")),
        (b"Dogs, cats.", Words("Dogs, cats.")),
        (b" \n", Words()),
        ("כלב, ים".encode(), Words(tags=("כלב", "ים"))),
        ("犬が走る。".encode("utf-8-sig"), Words("犬が走る。")),
        ("Grüße".encode("cp1252"), Words("Grüße")),
        ("Grüße 🐕".encode("utf-16"), Words("Grüße 🐕")),
    ],
)
def test_text_is_a_caption_or_tags(batch, text, expected):
    assert words_of(sidecars.take(batch({"a.jpg": b"", "a.txt": text}))) == {"a.jpg": expected}


@pytest.mark.parametrize("tags", [["a", "b"], "a|b", "a, b"])
def test_tags_of_json_come_as_list_or_text(batch, tags):
    data = json.dumps({"tags": tags}).encode()
    assert words_of(sidecars.take(batch({"a.jpg": b"", "a.json": data}))) == {"a.jpg": Words(tags=("a", "b"))}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b"{"),
        ("a.json", b"[1]"),
        ("a.json", b'{"tags": 3}'),
        ("a.json", b'{"caption": ["x"]}'),
        ("a.xmp", b"no xml"),
        ("a.xmp", b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'),
        ("a.txt", b"x" * (sidecars.MAX_BYTES + 1)),
    ],
)
def test_a_broken_one_is_named_and_its_picture_lands(batch, name, data):
    taken = sidecars.take(batch({"a.jpg": b"", name: data}))
    assert words_of(taken) == {"a.jpg": Words()}
    (error,) = taken.errors
    assert (error.item, error.code) == (name, "caption_sidecar_unreadable")
