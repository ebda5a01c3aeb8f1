"""Many images at once without script: the question with its count, the start, and the way back."""

import re

import pytest

from annotations import tasks
from annotations.models import BulkJob, Decision, Image
from tests.factories import make_images, make_tags


@pytest.fixture
def address(here):
    return f"{here}gallery/bulk/"


def hidden(html):
    """The fields that the question hands on."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


def test_the_question_names_the_count_and_the_answer_starts_the_action(cast, browser_of, here, address):
    make_tags(cast.project, "dog")
    make_images(cast.project, 3, caption="A boat.")
    make_images(cast.project, 2, first=3)
    client = browser_of(cast.reviewer)
    asked = client.post(f"{address}?q=boat", {"act": "add", "tag": "DOG", "all": "true"}).content.decode()
    assert "Add “dog” to 3 images?" in asked
    assert not BulkJob.objects.exists()
    sent = {name: value for name, value in hidden(asked).items() if name != "csrfmiddlewaretoken"}
    for _ in range(2):  # pressed twice, started once
        answer = client.post(f"{address}?q=boat", sent | {"confirmed": "true"})
        assert answer.status_code == 302 and answer["Location"] == f"{here}gallery/?q=boat"
    job = BulkJob.objects.get()
    tasks.run_bulk(job.pk)
    assert Decision.objects.count() == 3
    html = client.get(f"{here}gallery/").content.decode()
    assert "Added “dog”" in html and "Undo" in html
    client.post(f"{address}{job.pk}/", {"act": "undo"})
    tasks.run_bulk(BulkJob.objects.latest("pk").pk)
    assert not Decision.objects.filter(undone_at=None).exists()


def test_picked_images_are_meant_and_no_others(cast, browser_of, address):
    images = make_images(cast.project, 3)
    client = browser_of(cast.manager)
    picked = [images[0].pk, images[2].pk]
    asked = client.post(address, {"act": "delete", "picked": picked}).content.decode()
    assert "Delete 2 images?" in asked and "What is deleted goes to the trash" in asked
    sent = {name: value for name, value in hidden(asked).items() if name != "csrfmiddlewaretoken"}
    client.post(address, sent | {"confirmed": "true"})
    tasks.run_bulk(BulkJob.objects.get().pk)
    assert list(Image.objects.filter(deleted_at=None)) == [images[1]]


def test_a_choice_that_has_grown_is_asked_about_again(cast, browser_of, here, address):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    client = browser_of(cast.reviewer)
    asked = client.post(address, {"act": "add", "tag": "dog", "all": "true"}).content.decode()
    make_images(cast.project, 1, first=1)
    sent = {name: value for name, value in hidden(asked).items() if name != "csrfmiddlewaretoken"}
    answer = client.post(address, sent | {"confirmed": "true"}, follow=True)
    assert "2 images are meant by now, not 1." in answer.content.decode()
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"act": "add", "tag": "unheard", "all": "true"}, "unheard"),
        ({"act": "add", "tag": "dog"}, "Pick some first."),
        ({"act": "dance", "all": "true"}, "Choose what to do"),
    ],
)
def test_a_refusal_is_a_sentence_in_the_dialog_and_a_message_without_it(
    cast, browser_of, address, sent, said
):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    client = browser_of(cast.reviewer)
    assert said in client.post(address, sent, headers={"HX-Request": "true"}).content.decode()
    assert said in client.post(address, sent, follow=True).content.decode()


def test_annotators_and_strangers_start_nothing(cast, browser_of, address):
    make_images(cast.project, 1)
    sent = {"act": "queue", "all": "true", "confirmed": "true"}
    assert browser_of(cast.annotator).post(address, sent).status_code == 403
    assert browser_of(cast.outsider).post(address, sent).status_code == 404
    assert browser_of(cast.reviewer).post(address, sent | {"act": "delete"}).status_code == 403
    assert not BulkJob.objects.exists()
