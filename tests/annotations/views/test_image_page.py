"""Answering single tags on an image's page: stored as such, told in the history, and taken back."""

import html
import json
import re

from annotations.models import Decision, SuggestionSet
from annotations.selectors import stats, truth
from tests.factories import make_images, make_tags, review_next


def verdict(cast, image_id):
    return truth.verdicts(cast.project, [image_id])[image_id]


def test_a_tag_is_typed_removed_and_taken_back(cast, browser_of, here):
    ids = make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 1)
    image_id = review_next(cast, cast.annotator, yes=("cat",)).review.image_id
    client, address = browser_of(cast.reviewer), f"{here}gallery/{image_id}/"
    # As a browser sends it on Enter: the first button of the form and what was typed.
    assert client.post(address, {"yes": "", "word": "Dog"}).status_code == 302
    assert verdict(cast, image_id).yes == {ids["dog"], ids["cat"]}
    client.post(address, {"no": ids["cat"], "word": ""})
    assert verdict(cast, image_id).yes == {ids["dog"]} and verdict(cast, image_id).no == {ids["cat"]}
    said = Decision.objects.get(value="no")
    assert said.scope == "tag" and said.user == cast.reviewer
    before = stats.trainable(cast.project.pk).decisions
    part = client.post(address, {"undo": said.pk}, headers={"HX-Request": "true"}).content.decode()
    assert verdict(cast, image_id).yes == {ids["dog"], ids["cat"]}
    assert "taken back" in part and "said no to one tag" in part
    assert stats.trainable(cast.project.pk).decisions == before + 1  # there is something new to learn


def test_what_is_refused_is_said_and_changes_nothing(cast, browser_of, here):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    client, address = browser_of(cast.reviewer), f"{here}gallery/{image.pk}/"
    part = client.post(address, {"yes": "", "word": "unheard"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "unheard" in part.content.decode()
    assert "unheard" in client.post(address, {"yes": "", "word": "unheard"}, follow=True).content.decode()
    client.post(address, {"undo": 7})
    assert not Decision.objects.exists()


def test_a_review_is_not_taken_back_as_if_it_were_one_answer(cast, browser_of, here):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    image_id = review_next(cast, cast.annotator, yes=("dog",)).review.image_id
    answer = browser_of(cast.reviewer).post(
        f"{here}gallery/{image_id}/", {"undo": Decision.objects.get().pk}, headers={"HX-Request": "true"}
    )
    assert "not in this project" in answer.content.decode()
    assert verdict(cast, image_id).yes


def test_the_panel_has_the_parts_of_the_page_and_answers_bring_the_tile(cast, browser_of, here):
    ids = make_tags(cast.project, "dog")
    image, after = make_images(cast.project, 2, caption="A dog.")
    client, address = browser_of(cast.reviewer), f"{here}gallery/{image.pk}/"
    asked = {"HX-Request": "true"}
    panel = client.get(f"{address}?q=dog&panel=1", headers=asked).content.decode()
    assert "<html" not in panel and "data-facts" in panel
    assert f'rel="next" href="{here}gallery/{after.pk}/?q=dog"' in panel
    assert f'hx-post="{address}?q=dog&amp;panel=1"' in panel
    assert "<html" in client.get(f"{address}?q=dog&panel=1").content.decode()
    part = client.post(f"{address}?q=dog&panel=1", {"yes": ids["dog"]}, headers=asked).content.decode()
    assert (
        f'<span class="under" id="under-{image.pk}" hx-swap-oob="true"><bdi class="on-picture">dog</bdi>'
        in part
    )
    assert f'hx-post="{address}?q=dog&amp;panel=1"' in part
    plain = client.post(f"{address}?q=dog", {"no": ids["dog"]}, headers=asked).content.decode()
    assert "hx-swap-oob" not in plain


def test_what_was_read_in_a_caption_is_told_but_not_of_an_open_holdout_image(cast, browser_of, here):
    tag_id = make_tags(cast.project, "dog")["dog"]
    evidence = {"start": 2, "end": 5, "text": "dog", "rule": "exact", "negated": False}
    told = []
    for first, holdout in ((0, False), (1, True)):
        image = make_images(cast.project, 1, first=first, caption="A dog.", holdout=holdout)[0]
        SuggestionSet.objects.create(
            image=image,
            project=cast.project,
            tag_ids=[tag_id],
            scores=[0.9],
            offered_ids=[tag_id],
            sources=[
                [{"kind": "caption", "score": 0.9, "evidence": evidence}, {"kind": "vision", "score": 0.4}]
            ],
        )
        page = browser_of(cast.reviewer).get(f"{here}gallery/{image.pk}/").content.decode()
        told.append(re.search(r'data-evidence="(.*?)"', page))
    seen, blind = told
    (entry,) = json.loads(html.unescape(seen.group(1)))
    assert (entry["name"], entry["offered"], len(entry["sources"])) == ("dog", True, 1)
    assert blind is None


def test_annotators_and_strangers_answer_nothing_here(cast, browser_of, here):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    sent = {"yes": "", "word": "dog"}
    assert browser_of(cast.annotator).post(f"{here}gallery/{image.pk}/", sent).status_code == 403
    assert browser_of(cast.outsider).post(f"{here}gallery/{image.pk}/", sent).status_code == 404
    assert not Decision.objects.exists()
