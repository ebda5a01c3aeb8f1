"""Captions as people write them: CSV of several kinds, JSON of several shapes, and mistakes."""

import pytest

from annotations.errors import BadInput
from annotations.importers.base import StagedFile, Words, base_name, clean_path
from annotations.importers.captions import read_captions
from annotations.importers.matching import match


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_whatever_separates_its_columns(separator):
    lines = [["File", "Caption", "Tags"], ["a.jpg", "A dog", "dog | water"], ["b.jpg", "", ""]]
    data = "\r\n".join(separator.join(cells) for cells in lines).encode("utf-8-sig")
    words, errors = read_captions(data, source_name="c.csv")
    assert words == {"a.jpg": Words("A dog", ("dog", "water")), "b.jpg": Words(None)}
    assert errors == ()


def test_quoted_cells_hold_line_breaks_and_separators():
    words, _ = read_captions(b'name,caption\n"a, b.jpg","one\ntwo ""three"""\n', source_name="c.csv")
    assert words == {"a, b.jpg": Words('one\ntwo "three"')}


@pytest.mark.parametrize(
    "text",
    [
        '{"a.jpg": "A dog"}',
        '{"a.jpg": {"caption": "A dog"}}',
        '[{"filename": "a.jpg", "caption": "A dog"}]',
    ],
)
def test_json_may_have_three_shapes(text):
    assert read_captions(text.encode(), source_name="c.json")[0] == {"a.jpg": Words("A dog")}


@pytest.mark.parametrize("text", ['{"a.jpg": 3}', '["a.jpg"]', "{", '{"a.jpg": {"tags": [1]}}', "7"])
def test_json_that_says_something_else_is_refused(text):
    with pytest.raises(BadInput) as refusal:
        read_captions(text.encode(), source_name="c.json")
    assert "expected" in refusal.value.message


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_json_nested_without_end_is_refused_with_a_remedy(text):
    with pytest.raises(BadInput) as refusal:
        read_captions(text.encode(), source_name="c.json")
    assert refusal.value.code == "bad_json"
    assert refusal.value.message == (
        "c.json: expected JSON, got lists or objects in one another without end. Correct it and send it again."
    )


@pytest.mark.parametrize(
    ("header", "code", "words"),
    [
        ("name,caption,Caption", "duplicate_column", "two columns are called “caption” (columns 2 and 3)"),
        ("name,caption,x,name", "duplicate_column", "two columns are called “name” (columns 1 and 4)"),
        (",".join(f"c{n}" for n in range(1_000_000)), "too_many_columns", "got 1,000,000"),
        (",".join(f"c{n}" for n in range(900)), "missing_column", "“c19” and 880 more"),
    ],
)
def test_a_header_that_cannot_be_meant_is_refused_with_a_remedy(header, code, words):
    with pytest.raises(BadInput) as refusal:
        read_captions(f"{header}\na.jpg,one,two,three\n".encode(), source_name="c.csv")
    assert refusal.value.code == code
    assert words in refusal.value.message and len(refusal.value.message) < 500


def test_columns_that_are_not_read_may_be_called_alike():
    words, errors = read_captions(b"name,caption,x,x,,\na.jpg,one,1,2,,\n", source_name="c.csv")
    assert (words, errors) == ({"a.jpg": Words("one")}, ())


def test_utf16_is_recognised():
    with pytest.raises(BadInput, match="UTF-16"):
        read_captions("name,caption\n".encode("utf-16"), source_name="c.csv")


def test_a_name_given_twice_keeps_its_first_caption_and_says_so():
    words, errors = read_captions(b"name,caption\na.jpg,one\na.jpg,two\n", source_name="c.csv")
    assert words["a.jpg"].caption == "one"
    assert [error.code for error in errors] == ["caption_repeated"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("walk/a.jpg", "walk/a.jpg"),
        (r"C:\photos\a.jpg", "photos/a.jpg"),
        ("../../etc/a.jpg", "etc/a.jpg"),
        ("/a\x00\n.jpg", "a.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("..", "unnamed"),
    ],
)
def test_sent_names_become_clean_labels(sent, kept):
    assert clean_path(sent) == kept


def test_long_names_keep_their_ending():
    assert base_name("walk/" + "x" * 400 + ".jpg").endswith("x.jpg")
    assert len(base_name("x" * 400)) == 255


def files(*names: str) -> list[StagedFile]:
    return [StagedFile(name, f"key/{number}") for number, name in enumerate(names)]


def captions_of(matched: list[StagedFile]) -> dict[str, str | None]:
    return {file.key: file.words.caption for file in matched}


def test_a_base_name_finds_its_file_in_a_folder():
    matched, errors = match(files("walk/a.jpg"), {"a.jpg": Words("here")})
    assert captions_of(matched) == {"key/0": "here"}
    assert errors == []


def test_a_name_that_several_files_bear_is_reported():
    matched, errors = match(files("x/a.jpg", "y/a.jpg"), {"a.jpg": Words("which?")})
    assert captions_of(matched) == {"key/0": None, "key/1": None}
    assert [error.code for error in errors] == ["caption_ambiguous"]


def test_a_caption_of_another_folder_is_not_taken():
    _, errors = match(files("x/a.jpg"), {"y/a.jpg": Words("elsewhere")})
    assert [error.code for error in errors] == ["caption_without_file"]
    assert match(files("x/a.jpg"), {"y/a.jpg": Words("elsewhere")}, report_unmatched=False)[1] == []
