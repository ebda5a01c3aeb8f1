"""Captions that nobody would write: very long, of other scripts, of symbols only, damaged."""

import sys
from collections.abc import Callable

import pytest

from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import TagTerm

VOCABULARY = [
    TagTerm(1, "dog"),
    TagTerm(2, "狗"),
    TagTerm(3, "كلب"),
    TagTerm(4, "หมา"),
    TagTerm(5, "🎉"),
    TagTerm(6, "собака"),
    TagTerm(7, "👨‍👩‍👧"),
    TagTerm(8, "café"),
]


@pytest.fixture(scope="module")
def reader() -> CaptionReader:
    return CaptionReader(VOCABULARY)


def found(reader: CaptionReader, caption: str) -> set[int]:
    (reading,) = reader.read([caption])
    for match in reading.matches:
        assert caption[match.evidence.start : match.evidence.end] == match.evidence.text
    return {match.tag_id for match in reading.matches}


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("一只狗在草地上跑", {2}),
        ("كلب يجري على الشاطئ", {3}),
        ("หมาวิ่งบนชายหาด", {4}),
        ("Собака бежит по пляжу", {6}),
        ("Party! 🎉🎉🎉 with a dog🐶", {1, 5}),
        ("A dog 狗 كلب หมา собака", {1, 2, 3, 4, 6}),
        ("a family 👨‍👩‍👧 at the beach", {7}),
        ("A dog at the Cafe\u0301", {1, 8}),
        ("A\x00dog\x07 runs\x1b[31m", set()),
        ("A \x00 dog \x07 runs", {1}),
        ("a dog\u200b\u202e here", set()),
        ("...?!,;:-–—()[]{}«»“”", set()),
        ("", set()),
        (" \t\r\n\u00a0\u2003", set()),
        ("dog \ud800 dog", {1}),
    ],
)
def test_odd_captions_are_read(reader: CaptionReader, caption: str, expected: set[int]) -> None:
    assert found(reader, caption.replace("\ud800", "\ufffd")) == expected
    assert {match.tag_id for match in reader.read([caption])[0].matches} == expected


def steps(work: Callable[[], object]) -> int:
    """How many Python functions are entered and lines run: work that does not depend on the machine."""
    count = 0

    def trace(_frame: object, _event: str, _argument: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "a dog runs on wet sand, ",
        "Paris ",
        "New York City of the ",
        "No dogs or ",
        "never ",
        "rather than ",
        "x",
        "狗",
        "🎉",
        "-",
        "'s ",
        "A, B, ",
    ],
)
def test_work_grows_with_the_length_alone(reader: CaptionReader, piece: str) -> None:
    """Twice the text is at most 2.3 times the work."""
    short, long = ((piece * length)[:length] for length in (10_000, 20_000))
    reader.read([short, long])  # what is worked out once is known
    work_short, work_long = (steps(lambda text=text: reader.read([text])) for text in (short, long))
    assert work_short > 0
    assert work_long < 2.3 * work_short


def test_a_caption_of_100_000_characters_is_read_to_its_end(reader: CaptionReader) -> None:
    caption = ("Two cats sit in New York, " * 4000)[:100_000] + " and a dog"
    (reading,) = reader.read([caption])
    match = next(match for match in reading.matches if match.tag_id == 1)
    assert (match.evidence.start, match.evidence.text) == (len(caption) - 3, "dog")
    assert len(reading.terms) > 15_000


def test_every_component_survives_a_long_caption() -> None:
    doc = build_pipeline()("No Paris, no London. " * 5000)
    assert len(doc.ents) == 10_000
    assert len(doc.spans["negated"]) == len(doc.spans["negation_cues"]) == 10_000
