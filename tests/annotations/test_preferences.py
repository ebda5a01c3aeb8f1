"""A person's own keys: what is taken, what is refused and why, by service, by API and by page."""

import pytest

from annotations import review_keys
from annotations.errors import BadInput, Conflict
from annotations.selectors import key_map
from annotations.services import preferences
from annotations.services import tags as tag_services
from tests.factories import make_tags


def hotkey(cast, name, key):
    tag = cast.project.tags.get(pk=make_tags(cast.project, name)[name])
    tag_services.update(tag, {"hotkey": key}, actor=cast.manager)


def own(user):
    user.refresh_from_db()
    return key_map.own(user)


def test_the_list_gives_each_key_to_one_command():
    keys = [key for command in review_keys.COMMANDS for key in (*command.keys, *command.also)]
    assert len(keys) == len(set(keys))
    assert set(keys) | set(review_keys.DIGITS) == review_keys.RESERVED


@pytest.mark.parametrize("key", sorted(review_keys.RESERVED - set(review_keys.DIGITS)))
def test_a_key_that_is_read_can_be_written_again(key):
    assert review_keys.canonical(review_keys.label(key)) == key


def test_only_what_differs_is_kept(cast):
    keys = {"skip": ["J", "arrowdown"], "undo": ["z", "Backspace"], "alone": ["Space"]}
    preferences.set_keys(actor=cast.annotator, keys=keys)
    assert own(cast.annotator) == {"skip": ["j", "ArrowDown"]}
    preferences.set_keys(actor=cast.annotator, keys={"skip": ["s"]})
    assert own(cast.annotator) == {}


def test_two_commands_may_swap_their_keys(cast):
    preferences.set_keys(actor=cast.annotator, keys={"skip": ["u"], "unsure": ["s"]})
    assert own(cast.annotator) == {"skip": ["u"], "unsure": ["s"]}


@pytest.mark.parametrize("key", ["u", "=", "Enter"])
def test_a_key_of_another_command_is_refused_and_named(cast, key):
    with pytest.raises(Conflict) as refused:
        preferences.set_keys(actor=cast.annotator, keys={"skip": [key]})
    assert refused.value.fields == {"command": "skip"}
    assert "already does" in refused.value.message
    assert own(cast.annotator) == {}


def test_a_command_that_moved_away_frees_its_keys_and_their_neighbours(cast):
    preferences.set_keys(actor=cast.annotator, keys={"zoom_in": ["PageUp"], "skip": ["="]})
    assert own(cast.annotator) == {"zoom_in": ["PageUp"], "skip": ["="]}


def test_a_hotkey_of_ones_own_projects_is_refused_and_of_others_is_not(cast):
    hotkey(cast, "jeep", "j")
    with pytest.raises(Conflict, match="J is the hotkey of the tag “jeep” in Outdoors"):
        preferences.set_keys(actor=cast.annotator, keys={"skip": ["j"]})
    preferences.set_keys(actor=cast.outsider, keys={"skip": ["j"]})
    assert own(cast.outsider) == {"skip": ["j"]}


@pytest.mark.parametrize("keys", [["7"], ["Tab"], ["Escape"], ["ab"], [], ["j", "k", "l"], ["İ"]])
def test_what_is_no_key_is_refused(cast, keys):
    with pytest.raises(BadInput):
        preferences.set_keys(actor=cast.annotator, keys={"skip": keys})


def test_a_page_that_saves_the_switch_does_not_lose_the_keys(cast):
    stale = type(cast.annotator).objects.get(pk=cast.annotator.pk)
    preferences.set_keys(actor=cast.annotator, keys={"skip": ["j"]})
    preferences.set_single_keys(actor=stale, are_on=False)
    assert own(cast.annotator) == {"skip": ["j"]}
    assert not key_map.are_single_keys_on(cast.annotator)


class TestApi:
    address = "/api/v1/me/keys/"

    def test_each_person_has_their_own(self, cast, client_of):
        client = client_of(cast.annotator)
        answer = client.patch(self.address, {"keys": {"skip": ["j"]}, "single_keys": False}, format="json")
        assert answer.json()["keys"] == {"skip": ["j"]}
        assert client_of(cast.second).get(self.address).json()["keys"] == {}
        assert client.get(self.address).json()["single_keys"] is False
        assert client.patch(self.address, {"keys": None}, format="json").json()["keys"] == {}
        assert client.get(self.address).json()["single_keys"] is False

    def test_a_conflict_names_the_command(self, cast, client_of):
        body = {"keys": {"skip": ["u"]}, "single_keys": False}
        answer = client_of(cast.annotator).patch(self.address, body, format="json")
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "key_taken"
        assert answer.json()["error"]["fields"] == {"command": "skip"}
        cast.annotator.refresh_from_db()
        assert key_map.are_single_keys_on(cast.annotator)

    def test_nobody_has_no_keys(self, client, db):
        assert client.get(self.address).status_code == 401

    @pytest.mark.parametrize("body", [{"keys": {"fly": ["j"]}}, {"keys": {"skip": "j"}}, {"keys": [1]}])
    def test_what_makes_no_sense_is_400(self, cast, client_of, body):
        assert client_of(cast.annotator).patch(self.address, body, format="json").status_code == 400
