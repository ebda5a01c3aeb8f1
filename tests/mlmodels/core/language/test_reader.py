"""Reading captions against a vocabulary: rules, evidence, odd captions."""

from pathlib import Path

import pytest

from mlmodels.core.language.near_meaning import NEAREST
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import CaptionMatch, TagTerm

NEGATED_CAPTIONS = Path(__file__).with_name("negated_captions.txt")
VOCABULARY = [
    TagTerm(1, "dog", ("hound",)),
    TagTerm(2, "running"),
    TagTerm(3, "motorcycle"),
    TagTerm(4, "hot dog"),
    TagTerm(5, "animal"),
    TagTerm(6, "T-shirt"),
    TagTerm(7, "skateboard"),
    TagTerm(8, "snow"),
    TagTerm(9, "狗"),
    TagTerm(10, "glasses"),
    TagTerm(11, "🎉"),
    TagTerm(12, "jumping"),
]


@pytest.fixture(scope="module")
def reader() -> CaptionReader:
    return CaptionReader(VOCABULARY)


def matches(reader: CaptionReader, caption: str) -> dict[int, CaptionMatch]:
    return {match.tag_id: match for match in reader.read([caption])[0].matches}


@pytest.mark.parametrize(
    ("caption", "tag_id", "rule", "text"),
    [
        ("A DOG sleeps", 1, "exact", "DOG"),
        ("A hound sleeps", 1, "alias", "hound"),
        ("Two dogs sleep", 1, "lemma", "dogs"),
        ("A girl runs away", 2, "lemma", "runs"),
        ("A puppy sleeps", 1, "hypernym", "puppy"),
        ("A girl leaps away", 12, "hypernym", "leaps"),
        ("A man on a dirt bike", 3, "hypernym", "dirt bike"),
        ("A man eats hot dogs", 4, "lemma", "hot dogs"),
        ("A man in a t-shirt", 6, "exact", "t-shirt"),
        ("A skateboarder jumps", 7, "meaning", "skateboarder"),
        ("A snowy day", 8, "meaning", "snowy"),
        ("一只狗在跑", 9, "exact", "狗"),
        ("A party 🎉🎉 at night", 11, "exact", "🎉"),
    ],
)
def test_a_mention_is_found_with_its_rule_and_offsets(
    reader: CaptionReader, caption: str, tag_id: int, rule: str, text: str
) -> None:
    evidence = matches(reader, caption)[tag_id].evidence
    assert (evidence.rule, evidence.text) == (rule, text)
    assert caption[evidence.start : evidence.end] == text


def test_the_longest_term_stands_alone(reader: CaptionReader) -> None:
    assert 1 not in matches(reader, "A man eats a hot dog")


def test_a_word_that_only_contains_a_tag_is_no_mention(reader: CaptionReader) -> None:
    assert matches(reader, "A dogma about snowdrops") == {}


def test_nearer_meanings_score_higher(reader: CaptionReader) -> None:
    found = matches(reader, "A puppy sleeps")
    assert 1 > found[1].score > found[5].score > 0


def test_what_is_named_later_scores_less(reader: CaptionReader) -> None:
    early = matches(reader, "A dog sits near a man who sells food")[1].score
    late = matches(reader, "A man who sells food sits near a dog")[1].score
    assert early > late


def test_a_plain_mention_outweighs_a_negated_one(reader: CaptionReader) -> None:
    found = matches(reader, "A cat with no dog, then a dog")[1]
    assert found.score > 0 and not found.evidence.negated


def test_a_negated_mention_names_its_cue_and_leaves_the_terms() -> None:
    caption = "A street without dogs"
    (reading,) = CaptionReader(VOCABULARY).read([caption])
    found = {match.tag_id: match for match in reading.matches}[1]
    assert (found.score, found.evidence.negated) == (0.0, True)
    assert found.evidence.cue_start is not None
    assert caption[found.evidence.cue_start : found.evidence.cue_end] == "without"
    assert reading.terms == ("street",)


def test_who_denies_a_relative_of_a_tag_denies_the_tag(reader: CaptionReader) -> None:
    found = matches(reader, "The hills are not snowy")[8]
    assert (found.score, found.evidence.rule, found.evidence.negated) == (0.0, "meaning", True)


@pytest.mark.parametrize(("tag", "word"), [("person", "fish"), ("beach", "lake")])
def test_who_denies_a_word_says_nothing_of_what_it_is_merely_near_to(tag: str, word: str) -> None:
    reader = CaptionReader([TagTerm(1, tag)])
    assert 0 < matches(reader, f"A {word} at dawn")[1].score <= NEAREST
    assert matches(reader, f"There is no {word} at dawn") == {}


def test_a_denied_word_leaves_what_another_word_is_near_to() -> None:
    found = matches(CaptionReader([TagTerm(1, "beach")]), "No lake, only a hill")[1]
    assert (found.evidence.text, found.evidence.negated) == ("hill", False)


def negated_captions() -> list[tuple[str, dict[str, bool]]]:
    cases = []
    for line in NEGATED_CAPTIONS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            caption, plain, absent = (part.strip() for part in line.split("|"))
            expected = {tag.strip(): False for tag in plain.split(",") if tag.strip()}
            expected |= {tag.strip(): True for tag in absent.split(",") if tag.strip()}
            cases.append((caption, expected))
    return cases


def test_negated_captions_are_read_as_people_read_them() -> None:
    """Not all are: definite objects ("can't find her hat") are taken as present."""
    pipeline = build_pipeline()
    wrong = []
    for caption, expected in negated_captions():
        names = list(expected)
        reader = CaptionReader([TagTerm(i, name) for i, name in enumerate(names)], pipeline=pipeline)
        got = {names[match.tag_id]: match.evidence.negated for match in reader.read([caption])[0].matches}
        if got != expected:
            wrong.append(caption)
    assert len(negated_captions()) == 70
    assert len(wrong) <= 4, wrong


@pytest.mark.parametrize(
    "caption", ["", "   ", "\n\t", "...", "?!", "\x00", "\ud800", "e\u0301", "-", "no", "not"]
)
def test_captions_that_say_nothing_match_nothing(reader: CaptionReader, caption: str) -> None:
    assert reader.read([caption])[0].matches == ()


@pytest.mark.parametrize(
    "piece", ["a dog runs ", "(", "-", "'s", "😀", "日本", "a.b,", "no ", "or ", "no dog, "]
)
def test_very_long_captions_are_read_to_their_end(reader: CaptionReader, piece: str) -> None:
    caption = (piece * 100_000)[:100_000] + " then snow"
    found = matches(reader, caption)[8]
    assert caption[found.evidence.start : found.evidence.end] == "snow"


def test_a_batch_keeps_its_order(reader: CaptionReader) -> None:
    captions = ["A dog"] * 300 + ["", "Snow"] * 3
    readings = reader.read(captions)
    assert readings == [reader.read([caption])[0] for caption in captions]


def test_nothing_to_read_and_no_tags() -> None:
    assert CaptionReader(VOCABULARY).read([]) == []
    (reading,) = CaptionReader([]).read(["Two dogs run"])
    assert reading.matches == () and reading.terms == ("two", "dog", "run")


def test_a_tag_without_words_is_never_mentioned() -> None:
    (reading,) = CaptionReader([TagTerm(1, "-"), TagTerm(2, " ")]).read(["A well-known dog"])
    assert reading.matches == ()


def test_two_tags_may_share_a_word() -> None:
    (reading,) = CaptionReader([TagTerm(1, "dog"), TagTerm(2, "pet", ("dog",))]).read(["A dog"])
    assert [(match.tag_id, match.evidence.rule) for match in reading.matches] == [(1, "exact"), (2, "alias")]


def test_a_relative_of_the_word_does_not_undo_a_negation() -> None:
    (reading,) = CaptionReader([TagTerm(1, "wheel")]).read(["A bicycle that has no wheels"])
    assert reading.matches[0].evidence.negated
