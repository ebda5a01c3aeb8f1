"""The cast of the annotation tests."""

import pytest
from rest_framework.test import APIClient

from annotations.models import User
from tests.factories import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def client_of():
    """An API client signed in as a user."""

    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return signed_in
