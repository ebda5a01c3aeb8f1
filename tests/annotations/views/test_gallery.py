"""The gallery: filters, keyset pages, and one image with what may be seen of it."""

import re

from annotations.models import SuggestionSet
from annotations.services import flags
from tests.factories import make_images, make_tags, review_next


def shown(html):
    return [
        int(found)
        for found in re.findall(r'<li class="tile"><a href="/projects/\d+/gallery/(\d+)/[?"]', html)
    ]


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_more_pages_show_each_image_once(cast, browser_of, here):
    images = make_images(cast.project, 130)
    client, seen, address = browser_of(cast.reviewer), [], "?"
    while address:
        html = client.get(f"{here}gallery/{address}", headers={"HX-Request": "true"} if seen else {}).content
        seen += shown(html.decode())
        more = re.search(r'class="button" href="(\?[^"]*after=[^"]*)"', html.decode())
        address = more.group(1).replace("&amp;", "&") if more else ""
    assert seen == [image.pk for image in images]


def test_filters_by_state_tag_and_caption(cast, browser_of, here):
    ids = make_tags(cast.project, "dog")
    make_images(cast.project, 2, caption="Two boats.")
    boat = cast.project.images.values_list("pk", flat=True)
    make_images(cast.project, 1, first=2, caption="A dog.")
    recorded = review_next(cast, cast.annotator, yes=("dog",))
    client = browser_of(cast.reviewer)

    def found(query):
        return set(shown(client.get(f"{here}gallery/{query}").content.decode()))

    assert found("?state=reviewed") == {recorded.review.image_id}
    assert found(f"?tag={ids['dog']}") == {recorded.review.image_id}
    assert found("?q=boats") == set(
        cast.project.images.filter(caption="Two boats.").values_list("pk", flat=True)
    )
    assert len(boat) == 3


def test_a_filter_that_makes_no_sense_is_left_out(cast, browser_of, here):
    make_images(cast.project, 1)
    answer = browser_of(cast.reviewer).get(here + "gallery/?state=gone&tag=x&q=%00")
    assert answer.status_code == 200 and len(shown(answer.content.decode())) == 1


def test_a_wrong_cursor_or_order_is_an_error_page(cast, browser_of, here):
    client = browser_of(cast.reviewer)
    assert client.get(here + "gallery/?after=nonsense").status_code == 400
    assert client.get(here + "gallery/?ordering=nonsense").status_code == 400


def test_one_image_tells_verdicts_and_history(cast, browser_of, here):
    make_tags(cast.project, "dog", "cat", "tree")
    make_images(cast.project, 1)
    review = review_next(cast, cast.annotator, yes=("dog",), rejected=("cat",)).review
    page = text_of(browser_of(cast.reviewer).get(f"{here}gallery/{review.image_id}/"))
    assert '<span class="tag" data-kind="yes"><bdi>dog</bdi>' in page
    assert '<span class="tag" data-kind="no"><bdi>cat</bdi>' in page
    assert "1 other tag not marked, which means no." in page
    assert "<strong>annotator</strong> reviewed" in page


def test_an_unreviewed_holdout_image_hides_its_suggestions(cast, browser_of, here):
    tag_id = make_tags(cast.project, "zebra")["zebra"]
    images = [*make_images(cast.project, 1), *make_images(cast.project, 1, first=1, holdout=True)]
    for image in images:
        SuggestionSet.objects.create(
            image=image,
            project=cast.project,
            tag_ids=[tag_id],
            scores=[0.9],
            offered_ids=[tag_id],
            sources=[[]],
        )
    client = browser_of(cast.reviewer)
    open_eyed, blind = (text_of(client.get(f"{here}gallery/{image.pk}/")) for image in images)
    assert "zebra" in open_eyed and "90 percent" in open_eyed
    assert "zebra" not in blind and "Hidden until the image is reviewed" in blind


def test_an_image_of_another_project_is_not_found(cast, browser_of, here):
    from annotations.models import Project

    other = make_images(Project.objects.get(name="Elsewhere"), 1)[0]
    assert browser_of(cast.admin).get(f"{here}gallery/{other.pk}/").status_code == 404


def test_a_filter_shows_as_words_that_can_be_taken_away(cast, browser_of, here):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1, caption="A dog.")
    review_next(cast, cast.annotator, yes=("dog",))
    query = "?q=dog&tag=dog&reviewer=annotator&since=2020-01-01&state=reviewed&is_holdout=false"
    html = browser_of(cast.reviewer).get(f"{here}gallery/{query}").content.decode()
    for words in (
        "Caption: dog",
        "Yes: dog",
        "Reviewed by annotator",
        "Reviewed from 2020-01-01",
        "Not holdout",
    ):
        assert f"<bdi>{words}</bdi>" in html
    without = re.search(r'href="([^"]*)"><bdi>Yes: dog', html).group(1)
    assert "tag=" not in without and "reviewer=annotator" in without
    assert len(shown(html)) == 1


def test_the_flagged_ones_are_a_filter_of_the_page_too(cast, browser_of, here):
    flagged, _ = make_images(cast.project, 2)
    flags.raise_flag(cast.project, flagged.pk, comment="Too dark.", actor=cast.annotator)
    html = browser_of(cast.reviewer).get(f"{here}gallery/?flagged=true").content.decode()
    assert shown(html) == [flagged.pk] and "<bdi>Flagged</bdi>" in html
    assert 'name="flagged" value="true" checked' in html


def test_a_filter_of_nonsense_is_left_out_and_the_page_says_so(cast, browser_of, here):
    make_images(cast.project, 1)
    html = browser_of(cast.reviewer).get(f"{here}gallery/?tag=unheard&min_score=7").content.decode()
    assert "A filter was left out." in html and "unheard" in html and "min_score" in html
    assert len(shown(html)) == 1


def test_next_and_before_keep_to_the_filter(cast, browser_of, here):
    images = [*make_images(cast.project, 3, caption="A boat."), *make_images(cast.project, 1, first=3)]
    client = browser_of(cast.reviewer)

    def ways(image, query):
        html = client.get(f"{here}gallery/{image.pk}/{query}").content.decode()
        return {rel: int(pk) for rel, pk in re.findall(r'rel="(prev|next)" href="[^"]*/gallery/(\d+)/', html)}

    assert ways(images[0], "?q=boat") == {"next": images[1].pk}
    assert ways(images[1], "?q=boat&ordering=newest") == {"prev": images[2].pk, "next": images[0].pk}
    assert ways(images[2], "?q=boat") == {"prev": images[1].pk}
    assert ways(images[2], "") == {"prev": images[1].pk, "next": images[3].pk}
