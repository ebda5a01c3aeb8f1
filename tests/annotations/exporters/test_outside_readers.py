"""Every format is read back by an outside reader: counts, tags, empty images, Unicode, and a split of empties."""

from urllib.parse import unquote

import pytest

from annotations.exporters import names
from annotations.exporters.cells import guard
from annotations.exporters.registry import FORMATS
from tests.annotations.exporters import outside_readers as readers
from tests.annotations.exporters.datasets import awkward_rows, frozen, unpacked

BY_PATH = {"csv", "csv-long", "jsonl"}
OPTIONS = {"imagefolder": {"several": "copy"}}


def test_every_format_has_a_reader():
    assert readers.READERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_written_is_what_an_outside_reader_finds(format, tmp_path):
    rows = awkward_rows(tmp_path)
    with frozen(rows, tmp_path, options=OPTIONS.get(format), with_pictures=True) as dataset:
        found = readers.READERS[format](unpacked(format, dataset, tmp_path))
        expected = {_key(format, row): {_word(format, tag) for tag in row.yes} for row in dataset.rows}
    if format == "imagefolder":
        expected = {key: tags for key, tags in expected.items() if tags}
    if format == "voc":
        found = {key: {unquote(tag) for tag in tags} for key, tags in found.items()}
    assert found == expected


def _key(format, row):
    if format in BY_PATH:
        return row.path or row.name
    return names.stem(row.file)


def _word(format, tag):
    return guard(tag) if format == "csv-onehot" else tag
