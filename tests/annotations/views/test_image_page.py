"""Answering single tags on an image's page: stored as such, told in the history, and taken back."""

from annotations.models import Decision
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


def test_annotators_and_strangers_answer_nothing_here(cast, browser_of, here):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    sent = {"yes": "", "word": "dog"}
    assert browser_of(cast.annotator).post(f"{here}gallery/{image.pk}/", sent).status_code == 403
    assert browser_of(cast.outsider).post(f"{here}gallery/{image.pk}/", sent).status_code == 404
    assert not Decision.objects.exists()
