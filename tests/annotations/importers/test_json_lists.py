"""Tables that are one JSON list of objects, and the documents that people send instead of them."""

import json
import tracemalloc

import pytest

from annotations.importers.base import ItemError, Words
from tests.annotations.importers.test_tables import brought, errors, opened, words


@pytest.fixture(autouse=True)
def no_server_folders(settings):
    settings.IMPORT_ROOTS = []


def as_list(*values):
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n\t "])
@pytest.mark.parametrize("name", ["t.json", "t.jsonl", "t"])
def test_a_list_of_json_objects_is_a_table_whatever_it_is_called(name, start):
    data = start + as_list(
        {"path": "walk/ä.jpg", "caption": "A dog", "tags": "dog|wet", "year": 2019},
        {"path": "b.jpg", "tags": ["cat"], "caption": "", "camera": None},
        {"path": "c.jpg"},
    )
    table = opened(data, name)
    assert table.columns == ("path", "caption", "tags", "year", "camera")
    assert words(data, name, said={"year": "metadata"}) == {
        "walk/ä.jpg": Words("A dog", ("dog", "wet"), metadata={"year": 2019}),
        "b.jpg": Words("", ("cat",)),
        "c.jpg": Words(),
    }


def test_bad_objects_of_a_json_list_are_named_and_the_rest_is_read():
    data = as_list(
        {"path": "a.jpg", "caption": {"en": "A dog"}}, ["b.jpg"], {"caption": "x"}, {"path": {"x": 1}},
        {"path": "c.jpg", "tags": [{"name": "dog"}]}, {"path": "d.jpg", "caption": "fine"},
    )  # fmt: skip
    assert errors(data, "t.json") == [
        ("t.json, object 1, column “caption”", "bad_cell"),
        ("t.json, object 2", "bad_element"),
        ("t.json, object 3, column “path”", "no_picture_named"),
        ("t.json, object 4, column “path”", "bad_cell"),
        ("t.json, object 5, column “tags”", "bad_tags"),
    ]
    (nested, *_) = [one for one in brought(data, "t.json") if isinstance(one, ItemError)]
    assert nested.message == (
        "Expected text, got an object. Write one value there, or take the column as metadata."
    )
    assert words(data, "t.json")["d.jpg"] == Words("fine")


@pytest.mark.parametrize(
    "end",
    [b',{"path": "c.jp', b"", b', {"path": "\xff"}]', b', {"path": "' + b"x" * 20_000_000 + b'"}]', b"] x"],
    ids=["cut", "not closed", "not UTF-8", "too long", "more behind it"],
)
def test_a_json_list_that_breaks_off_brings_what_came_before(end):
    data = b'[{"path": "a.jpg"}, {"path": "b.jpg", "caption": "x"}' + end
    assert words(data, "t.json") == {"a.jpg": Words(), "b.jpg": Words("x")}
    assert errors(data, "t.json") == [("t.json, object 3", "damaged_document")]


def test_a_json_list_is_read_by_the_piece():
    """Twenty thousand objects take no more memory than a thousand."""

    def peak(count):
        made = (f'{{"path": "{n}.jpg", "caption": "{"x" * 500}"}}' for n in range(count))
        data = ("[" + ",".join(made) + "]").encode()
        table = opened(data, "t.json")
        tracemalloc.start()
        try:
            assert sum(1 for _ in table.rows()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < peak(1_000) + 2**20
