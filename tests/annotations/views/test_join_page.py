"""Inviting on the people page, and the page behind the link: every state of it, signed in and out."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Invitation, Membership, User
from annotations.services import invitations, projects

ACCOUNT = {"username": "ada", "password": "a long enough secret", "again": "a long enough secret"}


def text_of(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def link(cast):
    """Makes an invitation and answers its address."""

    def make(by=None, role="reviewer"):
        _, token = invitations.create(cast.membership(by or cast.manager), role=role, note="Ada")
        return f"/join/{token}/"

    return make


class TestInviting:
    def test_the_link_is_shown_once_and_works(self, cast, browser_of, here):
        browser = browser_of(cast.manager)
        sent = {"invite": "1", "invite-role": "reviewer", "invite-note": "Ada"}
        answer = browser.post(here + "people/", sent)
        assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
        address = re.search(r'value="(http://testserver/join/[^"]+)"', answer.content.decode()).group(1)
        page = text_of(browser.get(here + "people/"))
        assert "/join/" not in page
        assert "<strong>Ada</strong>" in page and "as a reviewer, invited now by manager" in page
        assert "Join Outdoors" in text_of(Client().get(address))

    def test_a_manager_is_offered_no_admins(self, cast, browser_of, here):
        def roles(user):
            page = browser_of(user).get(here + "people/").content.decode()
            return re.findall(
                r'<option value="(\w+)"', page.split('name="invite-role"')[1].split("</select>")[0]
            )

        assert roles(cast.manager) == ["annotator", "reviewer", "manager"]
        assert roles(cast.admin) == ["annotator", "reviewer", "manager", "admin"]

    def test_a_forged_role_is_refused(self, cast, browser_of, here):
        sent = {"invite": "1", "invite-role": "admin", "invite-note": ""}
        assert browser_of(cast.manager).post(here + "people/", sent).status_code == 400
        assert not Invitation.objects.exists()

    def test_taking_back(self, cast, browser_of, here, link):
        address = link()
        row = Invitation.objects.get()
        browser = browser_of(cast.manager)
        answer = browser.post(f"{here}people/invitations/{row.pk}/revoke/", follow=True)
        assert "taken back" in text_of(answer) and "Open invitations" not in text_of(answer)
        assert Client().get(address).status_code == 410
        again = browser.post(f"{here}people/invitations/{row.pk}/revoke/", follow=True)
        assert "is revoked already" in text_of(again)

    def test_who_may_not_add_members_takes_nothing_back(self, cast, browser_of, here, link):
        link()
        address = f"{here}people/invitations/{Invitation.objects.get().pk}/revoke/"
        assert browser_of(cast.reviewer).post(address).status_code == 403
        assert browser_of(cast.outsider).post(address).status_code == 404

    def test_queries_do_not_grow_with_invitations(self, cast, browser_of, here, link):
        browser = browser_of(cast.manager)

        def queries():
            with CaptureQueriesContext(connection) as captured:
                browser.get(here + "people/")
            return len(captured)

        for _ in range(2):
            link()
        few = queries()
        for _ in range(18):
            link()
        assert queries() == few


class TestSignedOut:
    def test_the_page_says_what_one_is_invited_to(self, cast, link):
        address = link()
        answer = Client().get(address)
        page = text_of(answer)
        assert "Join Outdoors" in page and "<strong>manager</strong> invites you" in page
        assert "as a <strong>reviewer</strong>." in page
        assert f'href="/accounts/login/?next={address}"' in page
        assert answer["X-Robots-Tag"] == "noindex" and "no-store" in answer["Cache-Control"]

    def test_a_new_account_is_signed_in_and_in_the_project(self, cast, link, here):
        client = Client()
        answer = client.post(link(), ACCOUNT, follow=True)
        assert answer.redirect_chain == [(here, 302)]
        assert "Welcome. You are a reviewer of Outdoors now." in text_of(answer)
        assert Membership.objects.get(user__username="ada").role == "reviewer"
        again = Client()
        assert again.login(username="ada", password=ACCOUNT["password"])

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"again": "another secret"}, "It is not the same password."),
            ({"password": "password", "again": "password"}, "This password is too common."),
            ({"username": "manager"}, "“manager” already exists."),
            ({"username": "MANAGER"}, "“MANAGER” already exists."),
            ({"username": "a b"}, "Enter a valid username."),
            ({"username": ""}, "This field is required."),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_the_link_stays(self, cast, link, changes, said):
        address, people = link(), User.objects.count()
        answer = Client().post(address, ACCOUNT | changes)
        assert answer.status_code == 400 and said in text_of(answer)
        assert User.objects.count() == people
        assert Client().post(address, ACCOUNT).status_code == 302

    def test_with_an_account_one_signs_in_and_comes_back(self, cast, link):
        address, client = link(), Client()
        sent = {"login": "outsider", "password": "a password for tests", "next": address}
        assert client.post("/accounts/login/", sent)["Location"] == address
        assert "Join as outsider" in text_of(client.get(address))

    def test_sign_up_is_closed_otherwise(self, cast, link):
        link()
        sent = {"username": "eve", "password1": "a long enough secret", "password2": "a long enough secret"}
        Client().post("/accounts/signup/", sent)
        assert not User.objects.filter(username="eve").exists()

    def test_accounts_are_not_asked_for_at_any_rate(self, cast, link, settings):
        settings.ACCOUNT_RATE_LIMITS = {"signup": "2/m/ip"}
        client, address = Client(), link()
        answers = [client.post(address, ACCOUNT | {"again": "other"}).status_code for _ in range(3)]
        assert answers == [400, 400, 429]
        assert "Wait a minute" in text_of(client.post(address, ACCOUNT))


class TestSignedIn:
    def test_joining_is_confirmed(self, cast, browser_of, link, here):
        browser, address = browser_of(cast.outsider), link()
        assert "Join as outsider" in text_of(browser.get(address))
        assert not Membership.objects.filter(project=cast.project, user=cast.outsider).exists()
        assert browser.post(address)["Location"] == here
        assert Membership.objects.get(project=cast.project, user=cast.outsider).role == "reviewer"

    def test_another_account_can_be_chosen(self, cast, browser_of, link):
        browser, address = browser_of(cast.outsider), link()
        assert browser.post("/accounts/logout/", {"next": address})["Location"] == address
        assert "Create an account" in text_of(browser.get(address))

    def test_a_member_is_told_so_and_keeps_the_higher_role(self, cast, browser_of, link):
        browser, address = browser_of(cast.manager), link(role="annotator")
        page = text_of(browser.get(address))
        assert "You are in already" in page and "you are a manager of <strong>Outdoors</strong>" in page
        browser.post(address)
        assert cast.membership(cast.manager).role == "manager"
        assert Client().get(address).status_code == 200

    def test_a_member_with_a_lower_role_may_rise(self, cast, browser_of, link):
        browser, address = browser_of(cast.annotator), link(role="reviewer")
        assert "You are an annotator of it now." in text_of(browser.get(address))
        browser.post(address)
        assert cast.membership(cast.annotator).role == "reviewer"

    def test_who_joined_opens_the_link_again_and_is_in(self, cast, browser_of, link):
        browser, address = browser_of(cast.outsider), link()
        browser.post(address)
        assert "You are in already" in text_of(browser.get(address))


class TestOver:
    def spend(self, cast, address, state):
        match state:
            case "used":
                invitations.accept(address.split("/")[2], actor=cast.outsider)
            case "revoked":
                invitations.revoke(cast.membership(cast.manager), Invitation.objects.get().pk)
            case "expired":
                Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
            case "void":
                projects.remove_member(cast.membership(cast.admin), "manager")

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ("used", "It works once, and somebody has joined by it."),
            ("revoked", "It was taken back. Ask manager for a new one."),
            ("expired", "It was valid for 7 days, which are over."),
            ("void", "manager may not give this role any more."),
        ],
    )
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_link_that_is_over_says_why_and_what_to_do(self, cast, link, method, state, said):
        address = link()
        self.spend(cast, address, state)
        answer = getattr(Client(), method)(address, ACCOUNT)
        assert answer.status_code == 410 and said in text_of(answer)
        assert "Create an account" not in text_of(answer)
        assert not User.objects.filter(username="ada").exists()

    def test_an_unknown_link_says_what_to_do(self, cast):
        answer = Client().get("/join/no-such-token/")
        assert answer.status_code == 404 and "Copy it whole" in text_of(answer)
