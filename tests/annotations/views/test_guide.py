"""The guide to the tags: what it tells, which pictures it shows and never shows, and that browsers may keep it."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Image
from annotations.selectors import examples
from annotations.services import image_edits, reviews, tags, verify
from tests.factories import Cast, make_images, make_tags, review_next
from tests.plans import rows_read_by


def example_ids(cast: Cast, tag_id: int) -> list[int]:
    return [example.image_id for example in examples.of_tags(cast.project, [tag_id])[tag_id]]


def reviewed_as(cast: Cast, *names: str, count: int = 1) -> list[int]:
    """Ids of images that the annotator has reviewed with these tags."""
    return [review_next(cast, cast.annotator, yes=names).review.image_id for _ in range(count)]


def test_examples_are_the_newest_finished_images_with_a_yes(cast):
    ids = make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 8)
    dogs = reviewed_as(cast, "dog", count=5)
    cats = reviewed_as(cast, "cat")
    assert example_ids(cast, ids["dog"]) == dogs[:0:-1]
    assert example_ids(cast, ids["cat"]) == cats


def test_no_more_answers_are_read_where_there_are_more(cast):
    ids = make_tags(cast.project, "dog")
    make_images(cast.project, 120)
    read = []
    for more in (40, 80):
        reviewed_as(cast, "dog", count=more)
        read.append(rows_read_by(lambda: examples._candidates(cast.project, [ids["dog"]])))
    assert read[1] <= read[0] + 5


def test_a_yes_that_does_not_stand_any_more_is_no_example(cast):
    ids = make_tags(cast.project, "dog")
    make_images(cast.project, 4)
    undone, rejected, trashed, kept = reviewed_as(cast, "dog", count=4)
    membership = cast.membership(cast.annotator)
    reviews.undo(membership, cast.project.reviews.get(image=undone).pk)
    verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[], no=[rejected])
    image_edits.trash(cast.project, trashed, actor=cast.manager)
    assert example_ids(cast, ids["dog"]) == [kept]


def test_a_holdout_image_is_never_an_example(cast):
    ids = make_tags(cast.project, "dog")
    (image,) = make_images(cast.project, 1, holdout=True)
    reviewed_as(cast, "dog")
    assert Image.objects.get(pk=image.pk).state == "reviewed"
    assert example_ids(cast, ids["dog"]) == []


def test_an_image_that_still_wants_a_review_gives_no_answer_away(cast):
    ids = make_tags(cast.project, "dog")
    cast.project.reviews_per_image = 2
    cast.project.save()
    make_images(cast.project, 1)
    (image,) = reviewed_as(cast, "dog")
    assert example_ids(cast, ids["dog"]) == []
    review_next(cast, cast.second, yes=("dog",))
    assert example_ids(cast, ids["dog"]) == [image]


def names_in(html: str) -> list[str]:
    return re.findall(r"<h3><bdi>(.*?)</bdi></h3>", html)


def test_the_guide_has_instructions_descriptions_and_pictures(cast, browser_of, here):
    ids = make_tags(cast.project, "dog", "cat")
    cast.project.instructions = "Tag what can be seen."
    cast.project.save()
    tags.update(
        cast.project.tags.get(pk=ids["dog"]),
        {"description": "Barks.", "aliases": ["hound"]},
        actor=cast.manager,
    )
    make_images(cast.project, 1, caption="A dog runs.")
    (image,) = reviewed_as(cast, "dog")
    page = browser_of(cast.annotator).get(here + "guide/").content.decode()
    for told in (
        "Tag what can be seen.",
        "Barks.",
        "also hound",
        "A dog runs.",
        f"images/{image}/thumbnail/",
    ):
        assert told in page
    assert names_in(page) == ["dog", "cat"]


def test_tags_of_an_image_come_in_their_order_and_a_search_finds_by_any_word(cast, browser_of, here):
    ids = make_tags(cast.project, "dog", "cat", "horse")
    client = browser_of(cast.annotator)
    some = client.get(f"{here}guide/?tags={ids['horse']},{ids['dog']},x,999999,{ids['dog']}")
    assert names_in(some.content.decode()) == ["horse", "dog"]
    assert names_in(client.get(f"{here}guide/?q=hors").content.decode()) == ["horse"]
    assert "No tag is called “zebra”" in client.get(f"{here}guide/?q=zebra").content.decode()


def test_many_tags_come_a_page_at_a_time(cast, browser_of, here):
    make_tags(cast.project, *(f"tag {number}" for number in range(25)))
    client = browser_of(cast.annotator)
    first = client.get(here + "guide/?part=1").content.decode()
    after = re.search(r'data-more href="[^"]*\?(after=\d+)"', first).group(1)
    rest = client.get(f"{here}guide/?part=1&{after}").content.decode()
    assert names_in(first) + names_in(rest) == [f"tag {number}" for number in range(25)]
    assert "data-more" not in rest


def test_a_browser_keeps_the_part_until_it_changes(cast, browser_of, here):
    ids = make_tags(cast.project, "dog")
    client = browser_of(cast.annotator)
    first = client.get(here + "guide/?part=1")
    assert first["Cache-Control"].startswith("private, max-age=60")
    again = {"If-None-Match": first["ETag"]}
    assert client.get(here + "guide/?part=1", headers=again).status_code == 304
    tags.update(cast.project.tags.get(pk=ids["dog"]), {"description": "Barks."}, actor=cast.manager)
    changed = client.get(here + "guide/?part=1", headers=again)
    assert changed.status_code == 200
    assert "Barks." in changed.content.decode()


def test_the_guide_costs_the_same_for_two_and_for_twenty(cast, browser_of, here):
    client = browser_of(cast.annotator)

    def grow(first: int, count: int) -> None:
        make_tags(cast.project, *(f"tag {number}" for number in range(first, first + count)))
        make_images(cast.project, count, first=first)
        for number in range(first, first + count):
            reviewed_as(cast, f"tag {number}")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + "guide/?part=1").status_code == 200
        return len(captured)

    grow(0, 2)
    few = queries()
    grow(2, 18)
    assert queries() == few


def test_a_tag_shows_its_examples_on_its_page(cast, browser_of, here):
    ids = make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    client = browser_of(cast.manager)
    assert "No reviewed image has this tag yet" in client.get(f"{here}tags/{ids['dog']}/").content.decode()
    (image,) = reviewed_as(cast, "dog")
    assert f"{here}gallery/{image}/" in client.get(f"{here}tags/{ids['dog']}/").content.decode()
