"""The commands that make accounts and tokens."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from knox.models import AuthToken
from rest_framework.test import APIClient

from annotations.models import Membership, User
from annotations.selectors.access import may_create_projects


def test_create_user_prints_a_made_password_that_signs_in(db, client):
    out = io.StringIO()
    call_command("create_user", "ines", "--role", "manager", stdout=out)
    password = out.getvalue().strip().splitlines()[-1].removeprefix("Password: ")
    assert client.login(username="ines", password=password)
    assert may_create_projects(User.objects.get(username="ines"))
    assert not Membership.objects.exists()


def test_create_user_reads_the_password_from_standard_input(db, client, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    out = io.StringIO()
    call_command("create_user", "malik", "--role", "annotator", "--password-stdin", stdout=out)
    assert "Password" not in out.getvalue()
    assert client.login(username="malik", password="correct horse battery")


def test_an_existing_name_ends_with_an_error(db):
    call_command("create_user", "ines", "--role", "annotator", stdout=io.StringIO())
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_user", "ines", "--role", "annotator", stdout=io.StringIO())


def test_a_project_is_joined_only_by_name(cast):
    call_command("create_user", "ines", "--role", "annotator", "--project", "Outdoors", stdout=io.StringIO())
    assert cast.project.memberships.get(user__username="ines").role == "annotator"
    with pytest.raises(CommandError, match="no project"):
        call_command(
            "create_user", "malik", "--role", "annotator", "--project", "Nowhere", stdout=io.StringIO()
        )
    assert not User.objects.filter(username="malik").exists()


def test_a_token_opens_the_api(cast):
    out = io.StringIO()
    call_command("create_token", "annotator", stdout=out)
    key = out.getvalue().strip().splitlines()[-1]
    client = APIClient()
    assert client.get(f"/api/v1/projects/{cast.project.pk}/").status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    assert client.get(f"/api/v1/projects/{cast.project.pk}/").json()["name"] == "Outdoors"


def test_a_token_is_valid_as_long_as_the_installation_says(cast, settings):
    settings.TOKEN_DAYS = 7
    call_command("create_token", "annotator", stdout=io.StringIO())
    token = AuthToken.objects.get()
    assert token.expiry - token.created == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))


def test_a_token_for_0_days_is_valid_until_it_is_revoked(cast):
    out = io.StringIO()
    call_command("create_token", "annotator", "--days", "0", stdout=out)
    assert AuthToken.objects.get().expiry is None and "until it is revoked" in out.getvalue()


def test_a_token_that_would_have_run_out_already_is_refused(cast):
    with pytest.raises(CommandError, match="got -1"):
        call_command("create_token", "annotator", "--days", "-1", stdout=io.StringIO())
    assert not AuthToken.objects.exists()
