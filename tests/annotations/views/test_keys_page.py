"""The Keys page as a form without script: saved, refused with a sentence at the command, and reset."""

from annotations import review_keys
from annotations.selectors import key_map
from annotations.services import preferences
from annotations.services import tags as tag_services
from tests.factories import make_tags

USUAL = {
    command.name: [*(review_keys.label(key) for key in command.keys), ""] for command in review_keys.COMMANDS
}
ON = {"single_keys": "on"}


def own(user):
    user.refresh_from_db()
    return key_map.own(user)


def test_the_form_as_it_comes_changes_nothing(cast, browser_of):
    answer = browser_of(cast.annotator).post("/keys/", USUAL | ON)
    assert answer.status_code == 302
    assert own(cast.annotator) == {}
    assert key_map.are_single_keys_on(cast.annotator)


def test_other_keys_are_saved_and_the_switch_with_them(cast, browser_of):
    browser_of(cast.annotator).post("/keys/", USUAL | {"skip": ["J", " arrowdown "]})
    assert own(cast.annotator) == {"skip": ["j", "ArrowDown"]}
    assert not key_map.are_single_keys_on(cast.annotator)


def test_a_conflict_is_said_at_its_command_and_what_was_written_stays(cast, browser_of):
    answer = browser_of(cast.annotator).post("/keys/", USUAL | {"skip": ["U", "J"]})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "U already does “Unsure, ask a reviewer”" in page.split('id="said-skip"')[1].split("</p>")[0]
    assert 'name="skip" value="J"' in page
    assert own(cast.annotator) == {}
    assert key_map.are_single_keys_on(cast.annotator)


def test_the_usual_keys_come_back(cast, browser_of):
    preferences.set_keys(actor=cast.annotator, keys={"skip": ["j"]})
    browser_of(cast.annotator).post("/keys/", USUAL | ON | {"reset": "1"})
    assert own(cast.annotator) == {}


def test_a_hotkey_that_came_later_is_told(cast, browser_of):
    preferences.set_keys(actor=cast.annotator, keys={"skip": ["j"]})
    tag = cast.project.tags.get(pk=make_tags(cast.project, "jeep")["jeep"])
    tag_services.update(tag, {"hotkey": "j"}, actor=cast.manager)
    page = browser_of(cast.annotator).get("/keys/").content.decode()
    assert "J has become the hotkey of the tag “jeep” in Outdoors" in page


def test_the_way_back_leads_to_pages_of_ours_only(cast, browser_of, here):
    client = browser_of(cast.annotator)
    assert f'href="{here}review/"' in client.get("/keys/", {"next": here + "review/"}).content.decode()
    assert "elsewhere" not in client.get("/keys/", {"next": "https://elsewhere.test/"}).content.decode()
