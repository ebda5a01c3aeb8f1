"""Overview: which tags its plot draws, and what stands where there is no figure."""

import re

from annotations.selectors import progress
from annotations.selectors.progress import TagCount
from annotations.services import live_model
from tests.factories import make_images, make_tags, review_next


def text_of(answer):
    return " ".join(answer.content.decode().split())


def balance_of(page):
    """(tone, name, label) of each bar."""
    plot = page[page.index('name="Images with a yes') :]
    rows = r'<tr(?: data-tone="(\w+)")?><th scope="row">([^<]+)</th><td[^>]*>[^<]*</td><td>([^<]*)</td>'
    return re.findall(rows, plot)


class TestTagBalance:
    def test_of_many_tags_those_with_most_and_with_fewest_yes_are_drawn(
        self, cast, browser_of, here, monkeypatch
    ):
        ids = make_tags(cast.project, *(f"t{number:02}" for number in range(20)))
        answers = {tag_id: TagCount(yes=20 - place) for place, tag_id in enumerate(ids.values())}
        monkeypatch.setattr(progress, "answers_by_tag", lambda project: answers)
        page = text_of(browser_of(cast.annotator).get(here))
        names = [name for _, name, _ in balance_of(page)]
        assert names == [*(f"t{n:02}" for n in range(8)), "… 8 more …", "t16", "t17", "t18", "t19"]
        assert "Images with a yes, 12 of 20 tags" in page
        every = balance_of(text_of(browser_of(cast.annotator).get(here + "?tags=all")))
        assert len(every) == 20

    def test_before_the_first_version_too_few_yes_are_amber(self, cast, browser_of, here):
        make_tags(cast.project, "dog", "cat")
        make_images(cast.project, 1)
        review_next(cast, cast.annotator, yes=("dog",))
        page = text_of(browser_of(cast.annotator).get(here))
        assert balance_of(page) == [("wait", "dog", "1 of 10 needed"), ("wait", "cat", "0 of 10 needed")]

    def test_a_version_says_how_many_yes_a_tag_needs(self, cast, browser_of, here):
        ids = make_tags(cast.project, "dog", "cat")
        make_images(cast.project, 1)
        review_next(cast, cast.annotator, yes=("dog",))
        live_model.publish(
            **{"project_id": cast.project.pk, "version_id": 1, "number": 1, "provisional": False},
            **{"metrics": {"micro_f1": 0.5}, "tags": {str(ids["dog"]): {"needed": 1}}},
        )
        page = text_of(browser_of(cast.annotator).get(here))
        assert balance_of(page) == [("", "dog", "1"), ("wait", "cat", "0 of 10 needed")]


def test_where_nothing_was_offered_acceptance_does_not_wait_for_a_review(cast, browser_of, here):
    make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    assert text_of(browser_of(cast.annotator).get(here)).count("known after the first review") == 2
    review_next(cast, cast.annotator, yes=("dog",))
    page = text_of(browser_of(cast.annotator).get(here))
    assert "nothing was offered yet" in page and "known after the first review" not in page
