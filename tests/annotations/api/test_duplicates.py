"""The API of near-duplicates: listed with all they have, joined, kept and taken back."""

import pytest

from annotations.models import DuplicateGroup, Image
from annotations.services import near_pairs, tag_answers
from tests.factories import make_copies, make_tags


@pytest.fixture
def here(cast):
    return f"/api/v1/projects/{cast.project.pk}/duplicates/"


@pytest.fixture
def copies(cast):
    make_tags(cast.project, "dog")
    images = make_copies(cast.project, 2, caption="A dog.")
    tag_answers.answer(cast.project, images[1], "dog", "yes", actor=cast.manager)
    near_pairs.find(cast.project.pk)
    return images


def test_a_group_tells_what_each_image_has(cast, client_of, here, copies):
    answer = client_of(cast.manager).get(here).json()
    assert (answer["count"], answer["leaking"], answer["next"]) == (1, 0, None)
    (group,) = answer["results"]
    assert [image["yes"] for image in group["images"]] == [[], ["dog"]]
    assert group["images"][0]["caption"] == "A dog."
    assert group["pairs"] == [
        {"images": [copies[0].pk, copies[1].pk], "bits": 1, "mirrored": False, "distance": None}
    ]


def test_join_and_undo(cast, client_of, here, copies):
    client, group = client_of(cast.manager), DuplicateGroup.objects.get()
    answer = client.post(
        f"{here}{group.pk}/join/",
        {"keep": copies[0].pk, "images": [image.pk for image in copies]},
        format="json",
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["trashed"] == [copies[1].pk]
    assert answer.json()["tags_taken_over"] == ["dog"]
    assert client.get(here).json()["count"] == 0
    again = client.post(f"{here}{group.pk}/join/", {"keep": copies[0].pk}, format="json")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_joined")
    assert client.post(f"{here}{group.pk}/undo/").status_code == 200
    assert client.get(here).json()["count"] == 1
    assert not Image.objects.filter(deleted_at__isnull=False).exists()


def test_kept_groups_are_listed_apart(cast, client_of, here, copies):
    client, group = client_of(cast.manager), DuplicateGroup.objects.get()
    assert client.post(f"{here}{group.pk}/keep/").json()["state"] == "kept"
    assert client.get(here).json()["results"] == []
    (kept,) = client.get(f"{here}?state=kept").json()["results"]
    assert (kept["id"], kept["decided_by"]) == (group.pk, "manager")


def test_pages_follow_each_other_without_gap_or_repetition(cast, client_of, here, copies):
    for holdout in (False, True, False):
        pair = make_copies(cast.project, 2)
        Image.objects.filter(pk=pair[0].pk).update(is_holdout=holdout)
    near_pairs.find(cast.project.pk)
    client, address, seen = client_of(cast.manager), f"{here}?limit=1", []
    while address:
        answer = client.get(address).json()
        seen += [(group["leaks"], group["id"]) for group in answer["results"]]
        address = answer["next"]
    assert len(seen) == 4 and seen == sorted(seen, key=lambda one: (not one[0], one[1]))


@pytest.mark.parametrize(
    ("query", "code"), [("?state=lost", "bad_state"), ("?after=x", "bad_after"), ("?import=x", "bad_import")]
)
def test_nonsense_in_the_address_is_named(cast, client_of, here, query, code):
    answer = client_of(cast.manager).get(here + query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_keep_that_is_no_number_is_refused(cast, client_of, here, copies):
    group = DuplicateGroup.objects.get()
    assert (
        client_of(cast.manager).post(f"{here}{group.pk}/join/", {"keep": "x"}, format="json").status_code
        == 400
    )
