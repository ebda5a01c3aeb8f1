"""What every export format must do with the edge cases of names, empty images and many tags."""

import csv
import io
import json

import pytest

from annotations.exporters.base import Context, ExportRow, Provenance
from annotations.exporters.cells import guard
from annotations.exporters.registry import FORMATS

AWKWARD = ("=1+1", "a b", "a,b", 'quo"te', "co:lon", "sla/sh", "pi|pe", "🐕", "שלום", "café", "cafe\u0301")
SAID = Provenance("person", "ines", "2026-01-02T00:00:00.000000Z", "image", 0.5, 3)


def row(number: int, yes: tuple[str, ...] = (), state: str = "reviewed") -> ExportRow:
    return ExportRow(
        id=number,
        name="same.jpg",
        path=f"folder{number}/same.jpg",
        sha256=f"{number:064x}",
        width_px=4,
        height_px=3,
        caption="@first\nsecond",
        state=state,
        is_holdout=number % 2 == 0,
        yes=tuple(sorted(yes)),
        no=(),
        disputed=(),
        provenance=dict.fromkeys(yes, SAID),
    )


def tag_sets(format: str, data: bytes) -> dict[int, set[str]]:
    """Read a file back with the standard library alone."""
    if format == "jsonl":
        return {one["id"]: set(one["yes"]) for one in map(json.loads, data.decode().splitlines())}
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    found: dict[int, set[str]] = {}
    for one in rows:
        if format == "csv-long":
            tags = {one["tag"]} if one["verdict"] == "yes" else set()
            found.setdefault(int(one["image_id"]), set()).update(tags)
        else:
            cell = one["tags"].replace("\\|", "\0")
            found[int(one["id"])] = {part.replace("\0", "|") for part in cell.split("|") if part}
    return found


def written(format: str, rows: list[ExportRow]) -> bytes:
    return b"".join(FORMATS[format].write(iter(rows), Context(vocabulary_version=7, options={})))


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_awkward_names_and_empty_images_survive(format):
    rows = [row(1, AWKWARD), row(2), row(3, state="pending")]
    found = tag_sets(format, written(format, rows))
    expected = set(AWKWARD) if format == "jsonl" else {guard(tag) for tag in AWKWARD}
    assert found == {1: expected, 2: set(), 3: set()}


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_ten_thousand_tags_and_many_images_survive(format):
    tags = tuple(f"tag {number:05}" for number in range(10_000))
    rows = [row(1, tags), *(row(number, ("tag 00001",)) for number in range(2, 1_500))]
    found = tag_sets(format, written(format, rows))
    assert len(found) == 1_499
    assert found[1] == set(tags)
    assert found[1_499] == {"tag 00001"}


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_rows_are_taken_as_they_come_and_none_are_kept(format):
    """A writer that gathered everything would read all rows before its first piece."""
    taken = []

    def rows():
        for number in range(1, 50_000):
            taken.append(number)
            yield row(number, ("dog",))

    pieces = FORMATS[format].write(rows(), Context(vocabulary_version=7, options={}))
    next(pieces)
    assert len(taken) < 10_000


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_an_empty_project_gives_a_readable_file(format):
    assert tag_sets(format, written(format, [])) == {}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_formulas_are_disarmed(text):
    assert guard(text) == "'" + text
    assert guard("a" + text) == "a" + text
