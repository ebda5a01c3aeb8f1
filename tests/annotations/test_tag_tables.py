"""A table of tags that is its own ledger: each file whole or not there, whatever ended the run before."""

import csv
import errno
import os

import pytest

from annotations.errors import BadInput, Conflict
from annotations.services import tag_tables
from annotations.services.tag_tables import Source, TagRow, TagTable

OURS = Source(version=1, project=7)
ROWS = [TagRow("dog", 0.91, True), TagRow("=boat", 0.2, False)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tags.csv"


def filled(path, *names):
    with TagTable(path, source=OURS) as table:
        for name in names:
            table.add(name, ROWS)
    return path


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_each_tag_of_a_file_is_a_row_and_formulas_are_disarmed(path):
    filled(path, "a/犬, 1.jpg")
    assert read(path) == [
        list(tag_tables.HEADER),
        ["a/犬, 1.jpg", "dog", "0.9100", "true", "1", "7"],
        ["a/犬, 1.jpg", "'=boat", "0.2000", "false", "1", "7"],
    ]


def test_a_second_run_knows_what_is_there(path):
    filled(path, "a.jpg", "-b.jpg")
    with TagTable(path, source=OURS) as table:
        assert table.done == {"a.jpg", "-b.jpg"}
    assert len(read(path)) == 5


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_table_that_was_cut_anywhere_loses_the_last_file_alone(path, cut):
    whole = filled(path, "a.jpg", "b.jpg", "c.jpg").read_bytes()
    path.write_bytes(whole[:-cut])
    with TagTable(path, source=OURS) as table:
        assert table.done in ({"a.jpg", "b.jpg"}, {"a.jpg"})
        for name in ("b.jpg", "c.jpg"):
            if name not in table.done:
                table.add(name, ROWS)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Source(version=2, project=7), "of version 1 of project 7, not of version 2 of project 7"),
        (Source(version=1, project=8), "of version 1 of project 7, not of version 1 of project 8"),
    ],
)
def test_the_table_of_another_version_or_project_is_not_mixed_with(path, other, said):
    before = filled(path, "a.jpg").read_bytes()
    with pytest.raises(Conflict, match=said):
        TagTable(path, source=other)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"name,caption\r\na,b\r\n", b"\xff\xfe\n", b"file,tag,score,offered,version,project\r\na\r\n"]
)
def test_a_file_that_is_no_such_table_is_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no table that this command has made"):
        TagTable(path, source=OURS)
    assert path.read_bytes() == content


def test_a_full_disk_leaves_the_table_whole(path):
    before = filled(path, "a.jpg", "b.jpg").read_bytes()
    with TagTable(path, source=OURS) as table:
        table.add("c.jpg", ROWS)
        kept = table._stream

        class Full:
            """Takes the first bytes, as a disk does, and then has no room."""

            tell, fileno, close = kept.tell, kept.fileno, kept.close

            def write(self, data):
                if len(data) < 40:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return kept.write(data[:20])

        table._stream = Full()
        with pytest.raises(OSError, match="No space left"):
            table.add("d.jpg", ROWS)
    assert read(path)[:5] == read_rows(before)
    assert [row[0] for row in read(path)[5:]] == ["c.jpg", "c.jpg"]


def test_opening_a_table_changes_nothing(path):
    before = filled(path, "a.jpg").read_bytes()
    with TagTable(path, source=OURS) as table:
        assert table.done == set()
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_told_before_anything_is_done(tmp_path):
    with pytest.raises(BadInput, match=r"There is no folder .*nowhere for tags.csv: make it first"):
        TagTable(tmp_path / "nowhere" / "tags.csv", source=OURS)


def test_a_folder_that_takes_no_files_is_told_before_anything_is_done(path, monkeypatch):
    """Tests may run as root, to whom every folder is open."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(BadInput, match="takes no files"):
        TagTable(path, source=OURS)


def read_rows(data):
    return list(csv.reader(data.decode().splitlines()))
