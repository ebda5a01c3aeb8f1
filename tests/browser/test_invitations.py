"""An invitation from the manager's page to the new account, in a real Chromium, with and without script."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from annotations.models import Membership
from annotations.services import invitations
from tests.browser.test_every_page import NARROW, WIDE
from tests.factories import Cast, make_cast

SECRET = "a long enough secret"


@pytest.fixture
def cast(transactional_db) -> Cast:
    return make_cast()


@pytest.fixture
def link(cast) -> str:
    """The address of an open invitation."""
    return f"/join/{invitations.create(cast.membership(cast.manager), role='reviewer', note='Ada')[1]}/"


@pytest.fixture
def visit(browser, live_server) -> Callable[..., Page]:
    """Opens a page as nobody."""
    contexts = []

    def open_page(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("with_script", [True, False], ids=["with script", "without"])
def test_a_manager_makes_a_link_and_somebody_new_joins_by_it(cast, sign_in, visit, with_script):
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/people/", java_script_enabled=with_script)
    page.get_by_label("For whom").fill("Ada")
    page.locator("#invite").get_by_label("Role").select_option("reviewer")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_role("textbox", name="Link").input_value()
    expect(page.get_by_role("button", name="Copy")).to_be_visible(visible=with_script)

    other = visit(link, java_script_enabled=with_script)
    other.get_by_label("User name").fill("ada")
    other.get_by_label("Password", exact=True).fill(SECRET)
    other.get_by_label("Password again").fill(SECRET)
    other.get_by_role("button", name="Create an account and join").click()
    expect(other.get_by_text("Welcome. You are a reviewer of Outdoors now.")).to_be_visible()
    assert Membership.objects.get(user__username="ada").role == "reviewer"

    page.reload()
    expect(page.get_by_role("row", name="ada")).to_be_visible()


def test_the_button_copies_the_link_and_says_so(cast, sign_in):
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/people/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.get_by_role("textbox", name="Link").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == link


def test_an_account_signs_in_and_is_led_back(cast, visit, link):
    page = visit(link)
    page.get_by_role("link", name="I have an account: sign in").click()
    page.get_by_label("Username").fill("outsider")
    page.get_by_label("Password").fill("a password for tests")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Join as outsider").click()
    expect(page.get_by_text("Welcome. You are a reviewer of Outdoors now.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signed_out_the_page_is_accessible_whole_and_says_when_it_is_over(cast, visit, link, theme):
    page = visit(link, viewport=WIDE, color_scheme=theme, bypass_csp=True)
    for address in (link, "/join/no-such-token/"):
        page.goto(address)
        found = Axe().run(page).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
        for size in NARROW.values():
            page.set_viewport_size(size)
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
