"""Merging, splitting and taking back by page: what is said before, what is done, and what is refused in words."""

import pytest

from annotations.models import Tag, TagChange
from annotations.services import tag_merges, tags
from tests.annotations.views.test_tags_and_people import text_of
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def rocks(cast):
    """Cliff yes on one image and rock yes on another, no to both on a third; crag was created after the reviews."""
    ids = make_tags(cast.project, "cliff", "rock")
    make_images(cast.project, 3)
    for said in (("cliff",), ("rock",), ()):
        review_next(cast, cast.annotator, yes=said, rejected=() if said else ("cliff", "rock"))
    return ids | make_tags(cast.project, "crag")


@pytest.fixture
def page_of(cast, browser_of, here):
    """Opens or posts below the address of a tag, as the manager."""

    def open_page(name, route="", sent=None):
        address = f"{here}tags/{cast.project.tags.get(name=name).pk}/{route}"
        client = browser_of(cast.manager)
        return client.get(address) if sent is None else client.post(address, sent, follow=True)

    return open_page


def test_the_merge_page_asks_into_which_tag(rocks, page_of):
    answer = page_of("cliff", "merge/")
    assert answer.status_code == 200 and "Merge into" in text_of(answer)


@pytest.mark.parametrize(
    ("word", "said"),
    [("lava", "No active tag of this project is called “lava”"), ("cliff", "cannot be merged into itself")],
)
def test_a_word_that_cannot_be_merged_into_is_said_at_its_field(rocks, page_of, word, said):
    answer = page_of("cliff", f"merge/?into={word}")
    assert answer.status_code == 400
    assert said in text_of(answer) and f'value="{word}"' in text_of(answer)


def test_the_preview_counts_both_tags_and_says_which_images_differ(rocks, page_of):
    page = text_of(page_of("cliff", "merge/?into=rock"))
    row = '<td class="end num">{}</td><td class="end num">{}</td>'
    assert page.count(row.format(1, 1)) == 2
    assert '<strong>2</strong></td><td class="end num"><strong>1</strong>' in page
    assert "<strong>2 images differ</strong>: yes for one, no for the other. They become yes." in page
    assert page.count('class="tile"') == 2
    assert "Merge 2 decisions" in page and "loses" not in page


def test_the_preview_warns_of_images_that_lose_their_no(rocks, page_of):
    page = text_of(page_of("crag", "merge/?into=rock"))
    assert "<strong>2 images lose the no</strong>" in page


def test_a_merge_leads_to_the_surviving_tag_where_it_can_be_taken_back(cast, rocks, page_of):
    answer = page_of("cliff", "merge/", {"into": rocks["rock"], "keep_words": "on"})
    page = text_of(answer)
    assert answer.redirect_chain == [(f"/projects/{cast.project.pk}/tags/{rocks['rock']}/", 302)]
    assert "Merged cliff into rock." in page and "merged “cliff” into “rock”" in page
    assert cast.project.tags.get(name="rock").aliases.get().name == "cliff"
    assert "Its answers count for rock." in text_of(page_of("cliff"))
    page = text_of(page_of("rock", "undo/", {}))
    assert "Taken back" in page
    assert cast.project.tags.get(name="cliff").retired_at is None


def test_words_are_left_behind_where_the_box_is_not_checked(cast, rocks, page_of):
    page_of("cliff", "merge/", {"into": rocks["rock"]})
    assert not cast.project.tags.get(name="rock").aliases.exists()


def test_a_merge_that_somebody_else_was_faster_with_is_a_message(cast, rocks, page_of):
    tag_merges.merge(*(cast.project.tags.get(name=name) for name in ("cliff", "rock")), actor=cast.admin)
    answer = page_of("cliff", "merge/", {"into": rocks["rock"], "keep_words": "on"})
    assert answer.status_code == 200 and "is part of “rock” since it was merged" in text_of(answer)


@pytest.mark.parametrize("into", ["", "x", "0", "99999999999999999999"])
def test_a_merge_into_nothing_is_a_message(cast, rocks, page_of, into):
    assert page_of("cliff", "merge/", {"into": into}).status_code == 200
    assert not TagChange.objects.exists()


def test_a_split_makes_the_tags_of_its_lines(cast, rocks, page_of):
    assert "asked about from now on" in text_of(page_of("rock", "split/"))
    page = text_of(page_of("rock", "split/", {"words": "boulder: big rock\n\npebble\n"}))
    assert "Split rock into boulder, pebble." in page
    assert {part.name for part in Tag.objects.filter(split_from=rocks["rock"])} == {"boulder", "pebble"}
    assert Tag.objects.get(name="boulder").aliases.get().name == "big rock"
    page_of("rock", "undo/", {})
    assert Tag.objects.get(name="rock").retired_at is None


@pytest.mark.parametrize(
    ("words", "said"), [("boulder", "split into 2 to 50"), ("a\ncliff", "exists already"), ("", "required")]
)
def test_a_bad_split_keeps_what_was_typed(cast, rocks, page_of, words, said):
    answer = page_of("rock", "split/", {"words": words})
    assert answer.status_code == 400 and said in text_of(answer) and words.split("\n")[0] in text_of(answer)
    assert cast.project.tags.filter(retired_at=None).count() == 3


def test_retired_lines_say_where_a_tag_went(cast, browser_of, here, rocks, page_of):
    page_of("cliff", "merge/", {"into": rocks["rock"]})
    page_of("crag", "split/", {"words": "tor\nscar"})
    page = text_of(browser_of(cast.manager).get(here + "tags/?retired=1"))
    assert "merged into <bdi>rock</bdi>" in page and "split into <bdi>tor, scar</bdi>" in page
    assert "Revive" not in page


def test_the_history_tells_every_change_and_offers_what_can_be_undone(cast, browser_of, here, rocks, page_of):
    client = browser_of(cast.manager)
    assert "No tag was changed yet" in text_of(client.get(here + "tags/changes/"))
    page_of("cliff", "merge/", {"into": rocks["rock"]})
    tags.update(cast.project.tags.get(name="rock"), {"name": "boulder", "hotkey": "k"}, actor=cast.admin)
    tags.update(
        cast.project.tags.get(name="crag"), {"description": "Steep.", "aliases": ["tor"]}, actor=cast.admin
    )
    tags.retire(cast.project.tags.get(name="crag"), actor=cast.admin)
    page = text_of(client.get(here + "tags/changes/"))
    told = ["retired “crag”", "changed “crag”: its description, its aliases", "renamed “rock”, now “boulder”"]
    places = [page.index(f"</strong> {one}") for one in [*told, "merged “cliff” into “boulder”"]]
    assert places == sorted(places)
    assert page.count('type="submit"') - page.count("Sign out") >= 2
    assert page.count(">Undo<") == 2 and page.count("undo what came after it first") == 2
    answer = page_of("boulder", "undo/", {"changes": "1"})
    assert answer.redirect_chain[-1][0] == here + "tags/changes/"
    assert "taken back by manager" in text_of(answer) and text_of(answer).count(">Undo<") == 2


def test_an_undo_that_something_forbids_is_a_message(cast, rocks, page_of):
    page_of("cliff", "merge/", {"into": rocks["rock"]})
    tags.update(cast.project.tags.get(name="rock"), {"name": "boulder"}, actor=cast.admin)
    page = text_of(page_of("cliff", "undo/", {}))
    assert "the change of “boulder” came after it. Undo that first." in page
    assert cast.project.tags.get(name="cliff").retired_at is not None


@pytest.mark.parametrize("route", ["merge/", "split/", "undo/"])
def test_only_managers_change_the_vocabulary(cast, browser_of, here, rocks, route):
    sent = {"into": rocks["rock"], "words": "a\nb"}
    address = f"{here}tags/{rocks['cliff']}/{route}"
    assert browser_of(cast.reviewer).post(address, sent).status_code == 403
    assert browser_of(cast.outsider).post(address, sent).status_code == 404
    assert not TagChange.objects.exists()


@pytest.mark.parametrize("count", [2, 20])
def test_the_history_takes_the_same_queries_for_2_and_20_changes(
    cast, browser_of, here, django_assert_max_num_queries, count
):
    make_tags(cast.project, *(f"tag {number}" for number in range(count)))
    for number in range(count):
        tags.update(cast.project.tags.get(name=f"tag {number}"), {"description": "New."}, actor=cast.admin)
    client = browser_of(cast.manager)
    client.get(here + "tags/changes/")
    with django_assert_max_num_queries(12):
        page = text_of(client.get(here + "tags/changes/"))
    assert page.count(">Undo<") == count
