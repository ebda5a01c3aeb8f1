"""The sentence about missing workers, the status page, and error pages in the same look."""

import pytest
from django.template.loader import get_template
from django.test import override_settings

from annotations.views.workers import MISSING, NO_BEAT, NOBODY, sentence
from tagger import health

ALL = ("io", "ml", "train")
UP = {"io": True, "ml": True, "train": True, "beat": True}


@pytest.mark.parametrize(
    ("down", "depends_on", "said"),
    [
        ((), ALL, ""),
        (("io", "ml", "train"), ALL, NOBODY),
        (("io", "ml", "train", "beat"), ("ml",), NOBODY),
        (("ml",), ALL, MISSING["ml"]),
        (("ml",), ("io",), ""),
        (("io", "train"), ALL, f"{MISSING['io']} {MISSING['train']}"),
        (("beat",), ALL, NO_BEAT),
        (("beat",), ("ml",), ""),
    ],
)
def test_the_sentence_names_what_a_page_misses(down, depends_on, said):
    assert sentence({name: name not in down for name in UP}, depends_on) == said


def test_a_page_says_that_no_worker_is_running_and_asks_again(cast, browser_of, here):
    client = browser_of(cast.annotator)
    page = client.get(here)
    assert NOBODY in page.content.decode()
    address = page.context["worker_notice"].poll_address
    assert client.get(address).status_code == 204
    health.beat("io", "ml", "train", "beat")
    healed = client.get(address)
    assert healed.status_code == 200 and NOBODY not in healed.content.decode()


def test_the_status_page_names_each_part(cast, browser_of):
    health.beat("io", "beat")
    page = " ".join(browser_of(cast.outsider).get("/status/").content.decode().split())
    assert page.count(">does not answer<") == 2 and page.count(">runs<") == 4
    assert "New suggestions wait; reviewing goes on." in page


@override_settings(DEBUG=False)
def test_an_unknown_address_has_a_page_in_the_same_look(cast, browser_of):
    answer = browser_of(cast.annotator).get("/nowhere/")
    assert answer.status_code == 404 and "There is nothing at this address." in answer.content.decode()


def test_the_page_of_a_crash_needs_no_request():
    assert "Something broke" in get_template("500.html").render()


def test_the_root_leads_to_the_projects(cast, browser_of):
    assert browser_of(cast.annotator).get("/")["Location"] == "/projects/"
