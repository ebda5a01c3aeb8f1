"""Merge, split, retire, edit and undo by the API: previews change nothing, and each can be taken back."""

import pytest

from annotations.models import Tag, TagChange
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def call(cast, client_of):
    """Posts to a route of one tag, as the manager; the answer's status and body."""

    def post(name, route, body=None, *, method="post"):
        tag = cast.project.tags.get(name=name)
        address = f"/api/v1/projects/{cast.project.pk}/tags/{tag.pk}/{route}"
        answer = getattr(client_of(cast.manager), method)(address, body, format="json")
        return answer.status_code, answer.json()

    return post


@pytest.fixture
def rocks(cast):
    ids = make_tags(cast.project, "cliff", "rock", "sea")
    make_images(cast.project, 3)
    for said in (("cliff",), ("rock",), ()):
        review_next(cast, cast.annotator, yes=said, rejected=() if said else ("cliff", "rock"))
    return ids


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("patch", "?preview=true", {"name": "crag"}),
        ("post", "retire/?preview=true", None),
        ("post", "merge/?preview=true", {"into": "rock"}),
        ("post", "split/?preview=true", {"into": ["bluff", "crag"]}),
    ],
)
def test_a_preview_counts_and_changes_nothing(cast, rocks, call, method, route, body):
    before = list(Tag.objects.order_by("pk").values())
    status, said = call("cliff", route, body, method=method)
    assert status == 200
    expected = {
        "id": rocks["cliff"],
        "name": "cliff",
        "decisions": 2,
        "images": 2,
        "yes": 1,
        "no": 1,
        "disputed": 0,
    }
    assert expected.items() <= said.items()
    assert said.keys() >= {"aliases", "hotkey", "children", "suggestions", "proposals", "is_complete"}
    assert list(Tag.objects.order_by("pk").values()) == before
    assert not TagChange.objects.exists()


def test_a_preview_of_a_merge_tells_of_both_tags_and_what_they_become(rocks, call):
    _, said = call("cliff", "merge/?preview=true", {"into": rocks["rock"]})
    assert (said["into"]["name"], said["into"]["yes"], said["into"]["no"]) == ("rock", 1, 1)
    assert said["merged"] == {"yes": 2, "no": 1, "disputed": 0}
    assert (said["differ"], said["not_asked"], len(said["differing"])) == (2, 0, 2)


def test_a_merge_answers_the_surviving_tag_and_undo_the_tag_that_is_back(cast, rocks, call):
    status, rock = call("cliff", "merge/", {"into": "rock"})
    assert (status, rock["id"], rock["aliases"]) == (200, rocks["rock"], ["cliff"])
    status, cliff = call("cliff", "undo/")
    assert (status, cliff["retired_at"], cliff["merged_into"]) == (200, None, None)
    assert not cast.project.tags.get(name="rock").aliases.exists()


def test_a_merged_tag_says_where_it_went(cast, client_of, rocks, call):
    call("cliff", "merge/", {"into": "rock", "keep_words": False})
    address = f"/api/v1/projects/{cast.project.pk}/tags/{rocks['cliff']}/"
    said = client_of(cast.annotator).get(address).json()
    assert said["merged_into"] == rocks["rock"] and said["retired_at"] is not None


def test_a_split_answers_the_new_tags_in_order(rocks, call):
    status, parts = call("rock", "split/", {"into": ["boulder", "pebble"]})
    assert status == 200
    assert [(part["name"], part["split_from"]) for part in parts] == [
        ("boulder", rocks["rock"]),
        ("pebble", rocks["rock"]),
    ]
    status, rock = call("pebble", "undo/")
    assert (status, rock["name"]) == (200, "pebble") and rock["retired_at"] is not None


@pytest.mark.parametrize(
    ("name", "route", "body", "status", "code"),
    [
        ("cliff", "merge/", {"into": "cliff"}, 400, "merge_into_itself"),
        ("cliff", "merge/?preview=true", {"into": "cliff"}, 400, "merge_into_itself"),
        ("cliff", "merge/", {"into": "lava"}, 422, "unknown_tag"),
        ("cliff", "merge/", {"into": 0}, 400, "bad_input"),
        ("cliff", "merge/", {}, 400, "bad_input"),
        ("cliff", "merge/?preview=perhaps", {"into": "rock"}, 400, "bad_flag"),
        ("cliff", "split/", {"into": ["crag"]}, 400, "bad_split"),
        ("cliff", "split/?preview=true", {"into": ["crag", "Crag"]}, 400, "bad_split"),
        ("cliff", "split/", {"into": ["crag", "sea"]}, 409, "tag_exists"),
        ("cliff", "split/", {"into": "crag"}, 400, "bad_input"),
        ("cliff", "undo/", None, 422, "nothing_to_undo"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(cast, rocks, call, name, route, body, status, code):
    found, said = call(name, route, body)
    assert (found, said["error"]["code"]) == (status, code)
    assert cast.project.tags.filter(retired_at=None).count() == 3


def test_an_undo_that_something_later_forbids_is_a_409_that_says_what(rocks, call):
    call("cliff", "merge/", {"into": "rock"})
    call("rock", "", {"name": "boulder"}, method="patch")
    status, said = call("cliff", "undo/")
    assert status == 409
    assert said["error"]["code"] == "changed_since"
    assert "the change of “boulder” came after it" in said["error"]["message"]
    assert call("boulder", "undo/")[1]["name"] == "rock"
    assert call("cliff", "undo/")[0] == 200
