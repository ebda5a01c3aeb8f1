"""Proposed tags and synonyms: normal forms of captions, bounded counts, and which of them are worth a person's look."""

import json

import pytest

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language import census as counting
from mlmodels.core.language.census import Census, Form
from mlmodels.core.language.occurrences import Occurrence, occurrences
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.proposals import lift, propose_tags
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.language.substitution import Answered, Statistics, substitutes, wilson_lower
from mlmodels.core.language.synonyms import propose_synonyms
from mlmodels.core.types import TagTerm


@pytest.fixture(scope="module")
def nlp():
    return build_pipeline()


def counted(nlp, captions):
    census = Census()
    for image_id, doc in enumerate(nlp.pipe(captions), start=1):
        census.add(image_id, occurrences(doc))
    return census


def thing(text):
    return Occurrence(text, "phrase", text, tuple(text.split()), 0, len(text))


def with_forms(captions, **forms):
    """Counts as they would stand after so many captions; a name with an underscore is a compound."""
    census = Census(captions=captions)
    for name, count in forms.items():
        parts = tuple(name.split("_"))
        text = " ".join(parts)
        census.forms[text] = Form(count, "phrase", text, parts, [(1, 0, len(text))])
        for part in parts:
            census.parts[part] = max(census.parts.get(part, 0), count)
    return census


class TestOccurrences:
    def keys(self, nlp, caption):
        return [found.key for found in occurrences(nlp(caption))]

    def test_determiners_numbers_possessives_and_free_adjectives_fall_away(self, nlp):
        assert self.keys(nlp, "My two big kites") == ["kite"]
        assert self.keys(nlp, "The man's red kite") == ["man", "kite"]

    def test_a_compound_is_named_beside_its_words(self, nlp):
        assert self.keys(nlp, "Red fire trucks") == ["truck", "fire", "fire truck"]

    def test_a_phrase_of_wordnet_keeps_its_adjective(self, nlp):
        assert "hot dog" in self.keys(nlp, "A hot dog on a plate")
        assert "wet dog" not in self.keys(nlp, "A wet dog on a plate")

    def test_offsets_point_at_the_words_as_written(self, nlp):
        caption = "Three Fire  Trucks!"
        found = {one.key: one for one in occurrences(nlp(caption))}
        assert caption[found["fire truck"].start : found["fire truck"].end] == "Fire  Trucks"
        assert found["fire truck"].text == "fire truck"

    def test_what_a_caption_denies_is_not_named(self, nlp):
        assert "boat" not in self.keys(nlp, "A lake without a boat")
        assert "lake" in self.keys(nlp, "A lake without a boat")

    def test_each_form_stands_once_where_it_is_first(self, nlp):
        found = [one for one in occurrences(nlp("A kite above a kite")) if one.key == "kite"]
        assert [one.start for one in found] == [2]

    def test_actions_come_as_tags_are_written(self, nlp):
        found = {one.key: one.text for one in occurrences(nlp("A boy swims in the lake"))}
        assert found["v:swim"] == "swimming"

    def test_entities_of_the_pipeline_are_names_and_measures_are_not(self, nlp):
        from spacy.tokens import Span

        doc = nlp("Skaters at the Rockefeller Center in 2012")
        doc.ents = [Span(doc, 3, 5, label="FAC"), Span(doc, 6, 7, label="DATE")]
        found = {one.key: one for one in occurrences(doc)}
        assert found["rockefeller center"].kind == "entity"
        assert found["rockefeller center"].text == "Rockefeller Center"
        assert "2012" not in found and "center" not in found

    @pytest.mark.parametrize("caption", ["", "   ", "!!! ???", "🙂 🙂", "1 2 3", "ein Dorf in den Bergen"])
    def test_odd_captions_are_read(self, nlp, caption):
        assert all(one.text for one in occurrences(nlp(caption)))


class TestCensus:
    def test_a_form_counts_once_a_caption_and_keeps_its_first_places(self):
        census = Census()
        for image_id in range(10, 16):
            census.add(image_id, [thing("dog")])
        assert (census.captions, census.forms["dog"].captions, census.parts) == (6, 6, {"dog": 6})
        assert census.forms["dog"].places == [(10, 0, 3), (11, 0, 3), (12, 0, 3), (13, 0, 3)]

    def test_a_name_that_is_also_written_small_is_a_thing(self):
        census = Census()
        census.add(1, [Occurrence("frisbee", "entity", "Frisbee", ("frisbee",), 2, 9)])
        census.add(2, [thing("frisbee")])
        census.add(3, [Occurrence("frisbee", "entity", "Frisbee", ("frisbee",), 2, 9)])
        form = census.forms["frisbee"]
        assert (form.captions, form.kind, form.text) == (3, "phrase", "frisbee")

    def test_counting_goes_on_from_stored_state(self):
        whole, first = Census(), Census()
        lines = [[thing("dog")], [thing("dog"), thing("dog house")], [thing("cat")]]
        for image_id, found in enumerate(lines):
            whole.add(image_id, found)
        first.add(0, lines[0])
        again = Census.of(json.loads(json.dumps(first.state())))
        for image_id, found in list(enumerate(lines))[1:]:
            again.add(image_id, found)
        assert again == whole

    def test_state_of_another_format_is_refused(self):
        with pytest.raises(LanguageDataError, match="count again"):
            Census.of({"format": 0})

    def test_memory_is_bounded_and_counts_miss_at_most_what_is_said(self, monkeypatch):
        monkeypatch.setattr(counting, "FORMS_KEPT", 100)
        census = Census()
        for image_id in range(2_000):
            census.add(image_id, [thing(f"word{image_id}"), thing("dog")] + [thing("cat")] * (image_id % 2))
        assert len(census.forms) <= 100 and len(census.parts) <= 100
        assert 2_000 - census.missed <= census.forms["dog"].captions <= 2_000
        assert 1_000 - census.missed <= census.forms["cat"].captions <= 1_000


class TestTags:
    def names(self, census, *tags, **options):
        return [tag.text for tag in propose_tags(census, list(tags), **options)]

    def test_the_most_frequent_come_first_and_equals_by_alphabet(self):
        census = with_forms(100, kite=9, barn=4, anchor=4, rare=2)
        assert self.names(census) == ["kite", "anchor", "barn"]

    def test_share_and_lift_are_what_a_person_can_check(self):
        census = with_forms(200, fire=10, truck=20, fire_truck=8)
        proposed = {tag.text: tag for tag in propose_tags(census, [])}
        assert proposed["truck"].share == 0.1 and proposed["truck"].lift is None
        assert proposed["fire truck"].lift == pytest.approx((8 / 200) / ((10 / 200) * (20 / 200)))
        assert proposed["fire truck"].places == ((1, 0, 10),)

    def test_a_chance_meeting_of_two_frequent_words_is_no_compound(self):
        census = with_forms(100, dog=60, kite=50, dog_kite=20)
        assert lift(census, census.forms["dog kite"]) == pytest.approx(0.667)
        assert "dog kite" not in self.names(census)

    def test_a_word_that_stands_only_in_a_compound_gives_way_to_it(self):
        census = with_forms(100, hydrant=5, fire=5, fire_hydrant=5)
        assert self.names(census) == ["fire hydrant"]

    def test_names_aliases_and_retired_words_of_the_vocabulary_are_no_news(self):
        census = with_forms(100, kite=9, puppy=8, barn=7, skateboard=6)
        taken = [TagTerm(1, "Kites"), TagTerm(2, "dog", ("puppy",)), TagTerm(3, "barns")]
        assert self.names(census, *taken) == ["skateboard"]

    def test_words_about_the_picture_and_words_that_cannot_be_seen_are_left_out(self):
        census = with_forms(100, background=50, group=50, idea=40, black=40, kite=9)
        assert self.names(census) == ["kite"]

    def test_actions_are_proposed_to_a_vocabulary_that_has_one(self):
        census = with_forms(100, kite=9)
        census.forms["v:swim"] = Form(20, "action", "swimming", ("swim",), [])
        census.forms["v:wear"] = Form(30, "action", "wearing", ("wear",), [])
        assert self.names(census, TagTerm(1, "dog")) == ["kite"]
        assert self.names(census, TagTerm(1, "running")) == ["swimming", "kite"]
        assert self.names(census, TagTerm(1, "swimming")) == ["kite"]

    def test_what_is_spoken_for_is_left_out(self):
        assert self.names(with_forms(100, kite=9, barn=7), but_not={"kite"}) == ["barn"]

    def test_frequent_means_more_in_a_large_collection(self):
        census = with_forms(20_000, kite=19, barn=20)
        assert self.names(census) == ["barn"]

    def test_no_captions_no_proposals(self):
        assert propose_tags(Census(), [TagTerm(1, "dog")]) == []

    def test_the_same_captions_give_the_same_list(self, nlp):
        captions = ["A red kite over a barn", "Two kites", "A kite", "A barn", "Barns at night"] * 2
        first, again = (propose_tags(counted(nlp, captions), []) for _ in range(2))
        assert first == again and [tag.text for tag in first] == ["barn", "kite"]


class TestSynonyms:
    def test_a_word_of_the_same_synset_is_proposed_for_its_tag(self):
        proposed = propose_synonyms(with_forms(100, kid=9, kite=8), [TagTerm(4, "child"), TagTerm(5, "dog")])
        assert [(one.text, one.tag_id, one.rule, one.captions) for one in proposed] == [
            ("kid", 4, "wordnet", 9)
        ]

    def test_a_dismissed_pair_is_not_proposed_again(self):
        census = with_forms(100, kid=9)
        assert propose_synonyms(census, [TagTerm(4, "child")], refused={("kid", 4)}) == []

    def test_a_word_that_is_taken_is_not_proposed(self):
        census = with_forms(100, kid=9)
        assert propose_synonyms(census, [TagTerm(4, "child", ("kids",))]) == []
        assert propose_synonyms(census, [TagTerm(4, "child")], retired=[TagTerm(5, "kid")]) == []

    def test_answers_show_a_word_that_wordnet_does_not_know(self):
        yes = Answered(frozenset({1}), frozenset({1}), frozenset(), frozenset({"doggo"}))
        plain = Answered(frozenset({1}), frozenset({1}), frozenset({1}), frozenset({"dog"}))
        proposed = propose_synonyms(with_forms(100, doggo=8), [TagTerm(1, "dog")], [yes] * 8 + [plain] * 8)
        assert [(one.text, one.tag_id, one.rule) for one in proposed] == [("doggo", 1, "answers")]
        assert (proposed[0].precision, proposed[0].support) == (1.0, 8)
        assert proposed[0].lower == pytest.approx(8 / (8 + 1.96**2))


class TestSubstitution:
    """Tag 1 is asked everywhere. `said` is the tag's own word in the caption."""

    def answered(self, word, *, yes, said=False):
        answer = frozenset({1} if yes else ())
        return Answered(answer, frozenset({1}), frozenset({1} if said else ()), frozenset({word}))

    def test_counts_are_of_captions_without_the_tags_own_word(self):
        answers = [self.answered("hound", yes=True)] * 9 + [self.answered("hound", yes=False)]
        answers += [self.answered("walk", yes=True, said=True)] * 20
        assert substitutes(answers, frozenset({"hound", "walk"})) == {
            ("hound", 1): Statistics(support=10, yes=9)
        }

    def test_a_word_that_stands_beside_the_tags_word_is_a_companion(self):
        answers = [self.answered("leash", yes=True)] * 9 + [self.answered("leash", yes=True, said=True)] * 9
        assert substitutes(answers, frozenset({"leash"})) == {}

    def test_four_answers_are_too_few_and_a_coin_is_too_weak(self):
        plain = [self.answered("walk", yes=True, said=True)] * 20
        assert substitutes([self.answered("hound", yes=True)] * 4 + plain, frozenset({"hound"})) == {}
        coin = [self.answered("hound", yes=yes) for yes in (True, False)] * 10
        assert substitutes(coin + plain, frozenset({"hound"})) == {}

    def test_a_tag_that_was_not_asked_counts_for_nothing(self):
        unasked = Answered(frozenset(), frozenset(), frozenset(), frozenset({"hound"}))
        answers = [self.answered("hound", yes=True)] * 9 + [unasked] * 50
        answers += [self.answered("walk", yes=True, said=True)] * 20
        assert substitutes(answers, frozenset({"hound"}))["hound", 1].support == 9

    @pytest.mark.parametrize(("yes", "asked", "lower"), [(10, 10, 0.7225), (5, 10, 0.2366), (0, 10, 0.0)])
    def test_the_bound_is_wilsons(self, yes, asked, lower):
        assert wilson_lower(yes, asked) == pytest.approx(lower, abs=1e-3)

    def test_a_reading_becomes_what_was_said_and_asked(self):
        reader = CaptionReader([TagTerm(1, "dog"), TagTerm(2, "animal")])
        (reading,) = reader.read(["A dog sleeps"])
        made = Answered.of([1], [2], reading)
        assert (made.yes, made.asked, made.own) == (frozenset({1}), frozenset({1, 2}), frozenset({1}))
        assert {"dog", "sleep"} <= made.terms
