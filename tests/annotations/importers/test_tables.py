"""Tables of pictures in any column names and every format, and what people send instead of them."""

import datetime
import io
import json
import tracemalloc
from decimal import Decimal

import pyarrow
import pyarrow.parquet
import pytest

from annotations.errors import BadInput
from annotations.importers.base import ItemError, KnownImage, StagedFile, Words, split_tags
from annotations.importers.tables import base, mapping, opening, pictures, preview
from annotations.importers.tables import parquet as reader
from annotations.importers.tables.base import OpenedTable

HASH = "ab" * 32


@pytest.fixture(autouse=True)
def no_server_folders(settings):
    settings.IMPORT_ROOTS = []


def opened(data, name="t.csv"):
    return opening.table(lambda: io.BytesIO(data), name)


def brought(data, name="t.csv", said=None, sent=(), **options):
    table = opened(data, name)
    columns = mapping.read(table, said, **options)
    return list(pictures.offered([OpenedTable(table, columns)], sent))


def words(data, name="t.csv", said=None, **options):
    """What the rows say, by the name of the picture."""
    return {
        one.name: one.words
        for one in brought(data, name, said, **options)
        if isinstance(one, KnownImage | StagedFile)
    }


def errors(data, name="t.csv", said=None, **options):
    found = [one for one in brought(data, name, said, **options) if isinstance(one, ItemError)]
    return [(error.item, error.code) for error in found]


def parquet(**columns):
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), target)
    return target.getvalue()


SAME = Words("A dog", ("dog", "water"), metadata={"split": "train"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", b"path,caption,tags,split\na.jpg,A dog,dog|water,train\n"),
        ("t.csv", b"\xef\xbb\xbfFile Name;Text;Labels;subset\r\na.jpg;A dog;dog|water;train\r\n"),
        ("t.tsv", b"image\tdescription\tkeywords\tfold\na.jpg\tA dog\tdog|water\ttrain\n"),
        ("t.csv", "path,caption,tags,split\na.jpg,A dog,dog|water,train\n".encode("utf-16")),
        ("t.jsonl", b'{"path":"a.jpg","caption":"A dog","tags":["dog","water"],"split":"train"}\n'),
        ("t.csv", b'path,caption,tags,split\na.jpg,A dog,"[""dog"", ""water""]",train\n'),
        ("t.csv", b'path,caption,tags,split\na.jpg,A dog,"dog, water",train\n'),
        (
            "t.bin",
            parquet(path=["a.jpg"], caption=["A dog"], tags=[["dog", "water"]], split=["train"]),
        ),
    ],
    ids=["csv", "semicolons", "tsv", "utf-16", "jsonl", "json in a cell", "commas in a cell", "parquet"],
)
def test_every_format_says_the_same(name, data):
    assert words(data, name) == {"a.jpg": SAME}


def test_columns_of_any_name_are_mapped_by_the_person():
    data = "Bild;Beschreibung;Stichwörter;Kamera;Jahr\na.jpg;Ein Hund;Hund|See;X100;2019\n".encode()
    said = {
        "Bild": "path",
        "Beschreibung": "caption",
        "Stichwörter": "tags",
        "Kamera": "metadata",
        "Jahr": "",
    }
    assert words(data, said=said) == {
        "a.jpg": Words("Ein Hund", ("Hund", "See"), metadata={"Kamera": "X100"})
    }


def test_a_column_of_unknown_name_is_known_by_its_cells():
    table = opened(f"Bild,Prüfsumme,Wort\na.jpg,{HASH},x\n".encode())
    assert mapping.read(table).targets == {"Bild": "path", "Prüfsumme": "sha256", "Wort": ""}


def test_what_is_said_of_one_column_replaces_the_guess_for_another():
    table = opened(b"path,original,caption\na.jpg,b.jpg,x\n")
    assert mapping.read(table, {"original": "path"}).targets == {
        "path": "", "original": "path", "caption": "caption",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"nope": "path"}, "no column “nope”"),
        ({"path": "picture"}, "“path” to be one of path, name"),
        ({"path": ["path"]}, "“path” to be one of"),
        ({"path": "caption", "caption": "caption"}, "two columns are to be caption"),
        ({"path": ""}, "expected a column that names the pictures"),
        ({"tags": "verdict"}, "expected a column of tags beside the one of verdicts"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(said, words):
    with pytest.raises(BadInput) as refusal:
        mapping.read(opened(b"path,caption,tags\na.jpg,x,y\n"), said)
    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty_table", "empty file"),
        (b"\n\na.jpg", "empty_table", "Name them in the first line"),
        (b"path,caption,path\na,b,c\n", "duplicate_column", "“path” (columns 1 and 3)"),
        (",".join(f"c{n}" for n in range(1_000_000)).encode(), "bad_csv", "first line"),
        (",".join(f"c{n}" for n in range(20_000)).encode(), "too_many_columns", "got 20,000"),
        (b"path^caption\na.jpg^x\n", "missing_column", "separated by comma, semicolon or tab"),
        ("path,café\na,b".encode("latin-1"), "not_utf8", "0xE9"),
        ("path,caption\n".encode("utf-16-le"), "not_utf8", "UTF-16 without a mark"),
        (b"PAR1 but not really", "bad_parquet", "does not open"),
        (b"[]", "bad_json", "expected a list of objects, as in"),
        (b"[1, 2]", "bad_json", "got none in it (Expected an object, got int.)"),
        (b'[{"path": "a.jpg"', "bad_json", "cannot be read to its end"),
        (b'{"rows": [\n{"path": "a.jpg"}\n]}', "bad_json", "got an object around or instead of it"),
        (b'{"path": ', "bad_json", "Send the list of the images alone"),
        (b'[{"a": 1, "b": {"path": "a.jpg"}}]', "missing_column", "got “a”, “b”"),
        (b"x" * 5_000_000, "bad_csv", "first line"),
    ],
)
def test_a_table_that_is_none_is_refused_with_a_remedy(data, code, words):
    name = "t.json" if data[:1] in (b"[", b"{") else "t.csv"
    with pytest.raises(BadInput) as refusal:
        mapping.read(opened(data, name))
    assert refusal.value.code == code
    assert words in refusal.value.message, refusal.value.message


def test_two_parquet_columns_of_one_name_are_refused():
    target = io.BytesIO()
    table = pyarrow.Table.from_arrays([["a"], ["b"]], names=["path", "path"])
    pyarrow.parquet.write_table(table, target)
    with pytest.raises(BadInput, match="two columns are called “path”"):
        opened(target.getvalue())


def test_parquet_columns_of_bytes_are_left_where_they_are():
    table = opened(
        parquet(name=["a.jpg"], image=[{"bytes": b"x", "path": "a.jpg"}], raw=[b"x"], many=[[b"x"]], size=[7])
    )
    assert table.columns == ("name", "size")
    assert [row.cells for row in table.rows()] == [{"name": "a.jpg", "size": 7}]


def test_parquet_times_and_decimals_become_metadata():
    day = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
    data = parquet(name=["a.jpg"], taken=[day], price=[Decimal("1.50")], box=[{"x": [1, 2]}])
    said = {"taken": "metadata", "price": "metadata", "box": "metadata"}
    assert words(data, said=said)["a.jpg"].metadata == {
        "taken": "2026-01-02T03:00:00+00:00", "price": "1.50", "x": [1, 2],
    }  # fmt: skip


def test_a_damaged_parquet_file_says_from_where_on():
    data = bytearray(parquet(name=[f"{n}.jpg" for n in range(5_000)]))
    data[60:2_000] = bytes(1_940)
    found = brought(bytes(data))
    assert found[-1].code == "damaged_table" and not found[-1].is_part


def test_parquet_row_groups_that_no_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(reader, "_MAX_CHUNK_BYTES", 1_000)
    with pytest.raises(BadInput, match="smaller row groups"):
        opened(parquet(name=[f"{n}.jpg" for n in range(5_000)]))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (b",x,dog", ("t.csv, row 2, column “path”", "no_picture_named")),
        (b"a.jpg,caf\xe9,dog", ("t.csv, row 2, column “caption”", "not_utf8")),
        (b"a.jpg,x,dog,more", ("t.csv, row 2", "too_many_cells")),
        (b'a.jpg,"' + b"x" * 2_000_000 + b'",dog', ("t.csv, row 2", "row_too_long")),
        (b"a.jpg," + b"x" * 9_000_000 + b",dog", ("t.csv, row 2", "row_too_long")),
    ],
)
def test_a_bad_row_of_csv_is_named_and_the_rest_is_read(row, error):
    data = b"path,caption,tags\n" + row + b"\nb.jpg,fine,cat\n"
    found = [one for one in brought(data) if isinstance(one, ItemError)]
    assert [(one.item, one.code) for one in found] == [error]
    assert not found[0].is_part and len(found[0].message) > 20
    assert words(data) == {"b.jpg": Words("fine", ("cat",))}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[" * 100_000 + "]" * 100_000, "too_deep"),
        ('{"path":' + '{"a":' * 100_000 + "1" + "}" * 100_001, "too_deep"),
        ('{"path": "a.jpg", "path": "c.jpg"}', "duplicate_key"),
        ('{"path": "a.jpg"', "bad_json"),
        ('{"path": "a.jpg", "caption": ' + "9" * 5_000 + "}", "bad_json"),
        ('"a.jpg"', "bad_json"),
        ('{"path": "a.jpg", "caption": "' + "x" * 5_000_000 + '"}', "row_too_long"),
    ],
)
def test_a_bad_line_of_json_is_named_and_the_rest_is_read(line, code):
    data = f'{{"path": "b.jpg", "caption": "x"}}\n{line}\n{{"path": "d.jpg"}}\n'.encode()
    assert errors(data, "t.jsonl") == [("t.jsonl, line 2", code)]
    assert words(data, "t.jsonl") == {"b.jpg": Words("x"), "d.jpg": Words()}


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"tags": [1]}, "tags", "bad_tags"),
        ({"tags": {"dog": 1}}, "tags", "bad_tags"),
        ({"caption": ["x"]}, "caption", "bad_cell"),
        ({"metadata": "{broken"}, "metadata", "bad_metadata"),
        ({"metadata": json.loads("[" * 60 + "]" * 60)}, "metadata", "too_deep"),
    ],
)
def test_a_bad_cell_is_left_out_and_its_picture_lands(cells, column, code):
    data = json.dumps({"path": "a.jpg", "caption": "x", **cells}).encode()
    (error,) = [one for one in brought(data, "t.jsonl") if isinstance(one, ItemError)]
    assert (error.item, error.code, error.is_part) == (f"t.jsonl, line 1, column “{column}”", code, True)
    assert list(words(data, "t.jsonl")) == ["a.jpg"]


def test_a_sha256_that_is_none_costs_the_row():
    assert errors(b"sha256,caption\nabc,x\n") == [("t.csv, row 2, column “sha256”", "bad_sha256")]


def test_tags_that_differ_only_by_case_spaces_or_accents_are_one():
    said = words("path,tags\na.jpg,Café|cafe\u0301|CAFÉ| café  |dog\n".encode())
    assert said["a.jpg"].tags == ("Café", "dog")


def test_a_tag_said_to_apply_and_not_is_left_out_and_told():
    data = b'{"path": "a.jpg", "tags": ["dog", "cat"], "no": ["Dog", "bird"]}\n'
    assert errors(data, "t.jsonl") == [("t.jsonl, line 1", "contradiction")]
    assert words(data, "t.jsonl")["a.jpg"] == Words(None, ("cat",), ("bird",))


def test_only_the_header_of_our_own_export_has_its_apostrophes_taken_off():
    ours = b"id,name,path,sha256,width_px,height_px,caption,tags,state,split\r\n"
    row = f"1,'=a.jpg,,{HASH},1,1,'-1 degrees,'@home|b\\|w,pending,train\r\n".encode()
    assert words(ours + row) == {"=a.jpg": Words("-1 degrees", ("@home", "b|w"), holdout=False)}
    assert words(b"name,caption\n'=a.jpg,'-1 degrees\n") == {"'=a.jpg": Words("'-1 degrees")}


def test_a_state_is_read_only_where_we_wrote_it():
    ours = f'{{"path":"a.jpg","sha256":"{HASH}","state":"reviewed","yes":["dog"],"no":["cat"],"disputed":[]}}'
    assert words(ours.encode(), "t.jsonl")["a.jpg"] == Words(None, ("dog",), ("cat",), complete=True)
    assert words(b"path,state\na.jpg,reviewed\n")["a.jpg"] == Words()


def test_rows_of_verdicts_on_one_picture_are_gathered():
    data = (
        b"path,tag,verdict\na.jpg,dog,yes\na.jpg,cat,no\na.jpg,owl,disputed\na.jpg,eel,implied no\n"
        b"b.jpg,dog,no\nc.jpg,,\nb.jpg,cat,maybe\n"
    )
    assert words(data) == {
        "a.jpg": Words(None, ("dog",), ("cat",), ("owl",)),
        "b.jpg": Words(),
        "c.jpg": Words(),
    }
    assert errors(data) == [("t.csv, row 8, column “verdict”", "bad_verdict")]


def test_a_key_that_comes_late_in_json_is_known_by_its_name():
    lines = [json.dumps({"path": f"{n}.jpg"}) for n in range(200)] + ['{"path": "z.jpg", "tags": ["dog"]}']
    assert words("\n".join(lines).encode(), "t.jsonl")["z.jpg"].tags == ("dog",)


def sent(*names):
    return [StagedFile(name, f"key/{at}", sha256=f"{at:064x}") for at, name in enumerate(names)]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b"walk/a.jpg,,", "key/0"),
        (b",a.jpg,", "key/0"),
        (b"b.jpg,,", "key/1"),
        (f",,{1:064x}".encode(), "key/1"),
    ],
)
def test_a_sent_file_is_found_by_path_name_or_sha256(row, key):
    data = b"path,name,sha256,caption\n" + row + b",here\n"
    landed = brought(data, sent=sent("images/walk/a.jpg", "images/b.jpg"))
    assert [one.key for one in landed if one.words.caption == "here"] == [key]
    assert len(landed) == 2


def test_a_row_that_means_another_file_of_that_name_is_refused():
    data = f"path,sha256,caption\na.jpg,{HASH},here\n".encode()
    error, file = brought(data, sent=sent("a.jpg"))
    assert (error.code, error.item, file.words) == ("another_file", "t.csv, row 2", Words())


def test_a_name_that_several_sent_files_bear_is_refused():
    found = brought(b"path,caption\na.jpg,x\n", sent=sent("x/a.jpg", "y/a.jpg"))
    assert found[0].code == "ambiguous_name" and "x/a.jpg" in found[0].message


def test_addresses_are_fetched_later_and_bad_ones_refused_by_name():
    file, error = brought(b"url,caption\nhttp://example.org/a.jpg,x\nftp://example.org/b.jpg,y\n")
    assert (file.name, file.key, file.words.caption) == ("a.jpg", "url:http://example.org/a.jpg", "x")
    assert (error.item, error.code) == ("t.csv, row 3", "bad_address")


def test_server_files_are_named_below_the_allowed_folders_only(settings, tmp_path):
    root = tmp_path / "shelf"
    root.mkdir()
    (root / "a.jpg").write_bytes(b"x")
    settings.IMPORT_ROOTS = [str(root)]
    data = f"path\na.jpg\n{root}/a.jpg\n/etc/passwd\n../secret.jpg\n{'x' * 500}.jpg\n".encode()
    found = brought(data)
    assert [one.key for one in found if isinstance(one, StagedFile)] == [f"file:{root}/a.jpg"] * 2
    refused = [one.otherwise and one.otherwise.code for one in found if isinstance(one, KnownImage)]
    assert refused == ["path_not_allowed", "path_not_allowed", None]


def test_the_preview_shows_the_first_rows_as_they_would_be_read():
    rows = [f"{n}.jpg,Caption {n},dog|cat,{'x' * 500}" for n in range(30)]
    table = opened(("Bild,caption,tags,long\n" + "\n".join(rows)).encode())
    shown = preview.preview(table, mapping.read(table)).as_json()
    assert shown["mapping"] == {"Bild": "path", "caption": "caption", "tags": "tags", "long": ""}
    assert len(shown["rows"]) == len(shown["items"]) == preview.ROWS_SHOWN
    assert shown["rows"][1]["caption"] == "Caption 1" and len(shown["rows"][0]["long"]) < 200
    assert shown["items"][0]["tags"] == ["dog", "cat"]


def test_a_row_without_end_is_never_held_whole():
    """A gigabyte without a line break would be one: a row of 64 MB leaves its mark long before."""
    data = b"path,caption\na.jpg," + b"x" * (64 * 2**20) + b"\nb.jpg,fine\n"
    table = opened(data)
    columns = mapping.read(table)
    tracemalloc.start()
    found = list(pictures.offered([OpenedTable(table, columns)], []))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(one).__name__ for one in found] == ["ItemError", "KnownImage"]
    assert peak < 8 * base.MAX_ROW_CHARS


def test_many_rows_are_read_in_flat_memory():
    def peak(rows):
        data = b"path,caption\n" + b"".join(b"%d.jpg,A caption of some words\n" % n for n in range(rows))
        table = opened(data)
        columns = mapping.read(table)
        tracemalloc.start()
        count = sum(1 for _ in pictures.offered([OpenedTable(table, columns)], []))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == rows
        return found

    assert peak(20_000) < 1.2 * peak(2_000)


def test_a_separator_within_a_tag_has_a_backslash():
    assert split_tags(r"black\|white|a\b| dog ||dog") == ("black|white", r"a\b", "dog")
