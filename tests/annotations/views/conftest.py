"""Clients that are signed in as somebody of the cast."""

import pytest
from django.test import Client

from annotations.models import User
from tests.factories import Cast


@pytest.fixture
def browser_of():
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def here(cast: Cast) -> str:
    """The address of the cast's project."""
    return f"/projects/{cast.project.pk}/"
