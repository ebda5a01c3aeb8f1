"""Where the pages of the cast's project are."""

import pytest

from tests.factories import Cast


@pytest.fixture
def here(cast: Cast) -> str:
    """The address of the cast's project."""
    return f"/projects/{cast.project.pk}/"
