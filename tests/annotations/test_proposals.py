"""Proposals in people's hands: adopted, dismissed, taken back, and replaced by what captions say now."""

import pytest

from annotations.errors import Conflict, NotFound
from annotations.models import AuditEvent, Project, Proposal, Tag, TagAlias
from annotations.selectors import proposals as selector
from annotations.services import proposals, tags
from annotations.types import ProposalSpec
from tests.factories import make_images, make_tags


def spec(text, *, tag_id=None, captions=5, examples=()):
    kind = "tag" if tag_id is None else "alias"
    return ProposalSpec(kind, text, tag_id, captions, {"rule": "phrase", "examples": list(examples)})


@pytest.fixture
def propose(cast):
    def make(*specs):
        proposals.replace_open(cast.project.pk, list(specs))
        return {row.text: row for row in Proposal.objects.filter(project=cast.project)}

    return make


def open_texts(cast):
    return [row.text for row in selector.listing(cast.project)]


class TestReplacing:
    def test_they_stand_in_the_order_given_and_again_is_the_same(self, cast, propose):
        first = propose(spec("surf"), spec("kite"), spec("barn"))
        again = propose(spec("surf"), spec("kite"), spec("barn"))
        assert open_texts(cast) == ["surf", "kite", "barn"]
        assert {row.pk for row in again.values()} == {row.pk for row in first.values()}

    def test_what_is_no_longer_found_goes_and_figures_follow(self, cast, propose):
        propose(spec("surf", captions=5), spec("kite"))
        rows = propose(spec("surf", captions=9), spec("barn"))
        assert set(rows) == {"surf", "barn"} and rows["surf"].captions == 9

    def test_a_dismissed_one_stays_away(self, cast, propose):
        rows = propose(spec("surf"), spec("kite"))
        proposals.dismiss(rows["surf"], actor=cast.manager)
        propose(spec("SURF", captions=99), spec("kite"))
        assert open_texts(cast) == ["kite"]

    def test_words_that_were_taken_meanwhile_are_left_out(self, cast, propose):
        tags.retire(Tag.objects.get(pk=make_tags(cast.project, "surf", "dog")["surf"]), actor=cast.manager)
        tags.update(Tag.objects.get(name="dog"), {"aliases": ["puppy"]}, actor=cast.manager)
        propose(spec("Surf"), spec("puppy"), spec("kite"))
        assert open_texts(cast) == ["kite"]

    def test_a_synonym_of_a_retired_tag_is_left_out(self, cast, propose):
        dog = Tag.objects.get(pk=make_tags(cast.project, "dog")["dog"])
        tags.retire(dog, actor=cast.manager)
        propose(spec("hound", tag_id=dog.pk))
        assert open_texts(cast) == []

    def test_the_same_word_once_a_tag(self, cast, propose):
        ids = make_tags(cast.project, "dog", "wolf")
        propose(
            spec("hound", tag_id=ids["dog"]),
            spec("hound", tag_id=ids["wolf"]),
            spec("Hound", tag_id=ids["dog"]),
        )
        assert Proposal.objects.count() == 2


class TestAdopting:
    def test_a_tag_is_made_and_the_vocabulary_moves_on(self, cast, propose):
        row = proposals.adopt(propose(spec("surf"))["surf"], actor=cast.manager)
        tag = Tag.objects.get(project=cast.project, name="surf")
        cast.project.refresh_from_db()
        assert cast.project.vocabulary_version == 1
        assert (row.state, row.result_tag_id, row.decided_by) == ("accepted", tag.pk, cast.manager)
        assert open_texts(cast) == []
        assert AuditEvent.objects.filter(action="proposals.adopt", actor=cast.manager).count() == 1

    def test_twice_has_one_effect(self, cast, propose):
        row = propose(spec("surf"))["surf"]
        proposals.adopt(row, actor=cast.manager)
        with pytest.raises(Conflict) as refusal:
            proposals.adopt(row, actor=cast.manager)
        assert (refusal.value.code, refusal.value.fields["state"]) == ("already_decided", "accepted")
        assert Tag.objects.filter(project=cast.project).count() == 1

    def test_under_another_name(self, cast, propose):
        proposals.adopt(propose(spec("jean"))["jean"], actor=cast.manager, name="jeans")
        assert list(Tag.objects.values_list("name", flat=True)) == ["jeans"]

    def test_a_name_that_is_taken_leaves_everything_as_it_was(self, cast, propose):
        row = propose(spec("surf"))["surf"]
        make_tags(cast.project, "Surf")
        with pytest.raises(Conflict) as refusal:
            proposals.adopt(row, actor=cast.manager)
        assert refusal.value.code == "tag_exists"
        assert open_texts(cast) == ["surf"] and Tag.objects.count() == 1

    def test_the_name_of_a_retired_tag_is_taken(self, cast, propose):
        row = propose(spec("surf"))["surf"]
        tags.retire(Tag.objects.get(pk=make_tags(cast.project, "surf")["surf"]), actor=cast.manager)
        with pytest.raises(Conflict, match="exists already"):
            proposals.adopt(row, actor=cast.manager)

    def test_a_synonym_joins_its_tag(self, cast, propose):
        dog = make_tags(cast.project, "dog")["dog"]
        tags.update(Tag.objects.get(pk=dog), {"aliases": ["puppy"]}, actor=cast.manager)
        proposals.adopt(propose(spec("hound", tag_id=dog))["hound"], actor=cast.manager)
        assert list(TagAlias.objects.filter(tag=dog).order_by("pk").values_list("name", flat=True)) == [
            "puppy",
            "hound",
        ]

    def test_a_synonym_can_become_a_tag_and_a_tag_a_synonym(self, cast, propose):
        dog = make_tags(cast.project, "dog")["dog"]
        rows = propose(spec("hound", tag_id=dog), spec("surf"))
        proposals.adopt(rows["hound"], actor=cast.manager, name="hound")
        proposals.adopt_as_alias(rows["surf"], Tag.objects.get(pk=dog), actor=cast.manager)
        assert Tag.objects.filter(name="hound").exists()
        assert TagAlias.objects.get(tag=dog).name == "surf"

    def test_a_retired_tag_takes_no_new_word(self, cast, propose):
        dog = Tag.objects.get(pk=make_tags(cast.project, "dog")["dog"])
        row = propose(spec("hound", tag_id=dog.pk))["hound"]
        tags.retire(dog, actor=cast.manager)
        with pytest.raises(Conflict, match="revive"):
            proposals.adopt(row, actor=cast.manager)


class TestTakingBack:
    def test_an_adopted_tag_is_retired_and_can_be_adopted_again(self, cast, propose):
        row = proposals.adopt(propose(spec("surf"))["surf"], actor=cast.manager)
        proposals.restore(row, actor=cast.manager)
        tag = Tag.objects.get(name="surf")
        assert tag.retired_at is not None and open_texts(cast) == ["surf"]
        proposals.adopt(row, actor=cast.manager)
        tag.refresh_from_db()
        assert tag.retired_at is None and Tag.objects.count() == 1

    def test_a_tag_taken_back_is_still_offered_after_the_next_reading(self, cast, propose):
        row = proposals.adopt(propose(spec("surf"))["surf"], actor=cast.manager)
        proposals.restore(row, actor=cast.manager)
        propose(spec("kite"))
        assert sorted(open_texts(cast)) == ["kite", "surf"]

    def test_an_adopted_synonym_is_removed_and_the_others_stay(self, cast, propose):
        dog = make_tags(cast.project, "dog")["dog"]
        row = proposals.adopt(propose(spec("hound", tag_id=dog))["hound"], actor=cast.manager)
        tags.update(Tag.objects.get(pk=dog), {"aliases": ["hound", "puppy"]}, actor=cast.manager)
        proposals.restore(row, actor=cast.manager)
        assert list(TagAlias.objects.values_list("name", flat=True)) == ["puppy"]
        assert open_texts(cast) == ["hound"]

    def test_a_dismissed_one_is_open_again(self, cast, propose):
        row = proposals.dismiss(propose(spec("surf"))["surf"], actor=cast.manager)
        assert row.decided_at is not None
        row = proposals.restore(row, actor=cast.manager)
        assert open_texts(cast) == ["surf"] and row.decided_by is None

    def test_an_open_one_has_nothing_to_take_back(self, cast, propose):
        with pytest.raises(Conflict) as refusal:
            proposals.restore(propose(spec("surf"))["surf"], actor=cast.manager)
        assert refusal.value.code == "not_decided"


class TestReading:
    def test_examples_show_the_word_in_its_caption(self, cast, propose):
        image = make_images(cast.project, 1, caption="A dog in the surf at noon.")[0]
        place = {"image": image.pk, "start": 13, "end": 17, "text": "surf"}
        propose(spec("surf", examples=[place]))
        (shown,) = selector.with_examples(cast.project, list(selector.listing(cast.project)))
        (example,) = shown.examples
        assert (example.before, example.marked, example.after) == ("A dog in the ", "surf", " at noon.")
        assert example.thumbnail_url.endswith(f"/images/{image.pk}/thumbnail/?size=256")

    def test_an_example_whose_caption_has_changed_is_left_out(self, cast, propose):
        image = make_images(cast.project, 1, caption="Nothing of the sort.")[0]
        place = {"image": image.pk, "start": 13, "end": 17, "text": "surf"}
        propose(spec("surf", examples=[place]))
        (shown,) = selector.with_examples(cast.project, list(selector.listing(cast.project)))
        assert shown.examples == ()

    def test_queries_do_not_grow_with_the_list(self, cast, propose, django_assert_num_queries):
        images = make_images(cast.project, 20, caption="surf")
        places = [{"image": image.pk, "start": 0, "end": 4, "text": "surf"} for image in images]
        for count in (2, 20):
            propose(*(spec(f"word {n}", examples=[places[n]]) for n in range(count)))
            with django_assert_num_queries(2):
                shown = selector.with_examples(cast.project, list(selector.listing(cast.project)))
            assert len(shown) == count and all(one.examples for one in shown)

    def test_counts_by_kind(self, cast, propose):
        dog = make_tags(cast.project, "dog")["dog"]
        propose(spec("surf"), spec("kite"), spec("hound", tag_id=dog))
        assert selector.counts(cast.project) == {"tag": 2, "alias": 1}

    def test_another_projects_proposal_is_not_found(self, cast, propose):
        row = propose(spec("surf"))["surf"]
        with pytest.raises(NotFound):
            selector.get(Project.objects.get(name="Elsewhere"), row.pk)
