"""The cast of the annotation tests, and two tags that are nearly one."""

import pytest

from tests.factories import Cast, make_cast, make_images, make_tags, review_next


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def rocks(cast):
    """Cliff and rock, and four images: yes to the one, to the other, to both, to neither."""
    ids = make_tags(cast.project, "cliff", "rock", "sea")
    pictures = make_images(cast.project, 4)
    by_image = {}
    for said in (("cliff",), ("rock",), ("cliff", "rock"), ()):
        by_image[said] = review_next(
            cast, cast.annotator, yes=said, rejected=("cliff",) if not said else ()
        ).review.image
    assert len({image.pk for image in by_image.values()}) == len(pictures)
    return by_image, ids
