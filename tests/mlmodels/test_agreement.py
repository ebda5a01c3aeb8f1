"""What the page and the API are told of agreement, and what is kept of it for a minute."""

import numpy as np
import pytest

from annotations.selectors import kept
from mlmodels.core.evaluation import agreement as alphas
from mlmodels.services import agreement
from tests.annotations.spoken import reviewed
from tests.factories import make_images, make_tags


@pytest.fixture
def twice(cast):
    """Thirty images by two people: they differ on a dog of every fifth, never on a cat; nobody sees a cow."""
    ids = make_tags(cast.project, "dog", "cat", "cow")
    for place, image in enumerate(make_images(cast.project, 30)):
        cat = [ids["cat"]] if place % 2 else []
        reviewed(cast.annotator, image, yes=[*cat, ids["dog"]] if place % 3 == 0 else cat, blind=True)
        differs = place % 5 == 0
        reviewed(
            cast.second,
            image,
            yes=[*cat, ids["dog"]] if (place % 3 == 0) != differs else cat,
            blind=place < 10,
        )
    return cast, ids


def told(cast, **asked):
    return agreement.told(cast.project.pk, cast.project.vocabulary_version, **{"blind": False} | asked)


def test_each_tag_has_its_figures(twice):
    cast, ids = twice
    found = told(cast)
    dog, cat, cow = (found.tags[ids[name]] for name in ("dog", "cat", "cow"))
    cells = alphas.Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
    assert dog.alpha.point == alphas.alpha(np.array([16, 6, 8]), cells)
    assert (dog.images, dog.differ, dog.rarer, dog.reading) == (30, 6, 14, "unreliable")
    assert dog.yes_share == pytest.approx(22 / 60)
    assert (cat.alpha.point, cat.differ, cat.reading) == (1.0, 0, "reliable")
    assert (cow.alpha, cow.images, cow.differ, cow.yes_share, cow.reading) == (None, 30, 0, 0.0, "")


def test_over_all_tags_images_count_once(twice):
    cast, ids = twice
    overall = told(cast).overall
    dog, cat = (told(cast).tags[ids[name]].alpha.point for name in ("dog", "cat"))
    assert (overall.images, overall.differ) == (30, 6)
    assert dog < overall.alpha.lower < overall.alpha.point < cat
    assert overall.yes_share == pytest.approx((22 + 30) / 180)


def test_blind_ones_are_told_alone(twice):
    cast, ids = twice
    found = told(cast, blind=True)
    assert (found.overall.images, found.tags[ids["dog"]].differ) == (10, 2)
    assert found.tags[ids["dog"]].reading == ""


def test_the_same_answers_have_the_same_intervals(twice):
    cast, _ = twice
    assert told(cast) == told(cast)


def test_a_large_project_is_told_what_was_kept_and_each_kind_by_itself(twice, monkeypatch):
    cast, _ = twice
    now, blind = told(cast), told(cast, blind=True)
    monkeypatch.setattr(kept, "FROM_DECISIONS", 0)
    assert (told(cast), told(cast, blind=True)) == (now, blind)
    monkeypatch.setattr(agreement, "estimate", None)  # nobody asks for it
    assert (told(cast), told(cast, blind=True)) == (now, blind)


def test_a_project_without_anything_to_compare_has_no_figures(cast):
    ids = make_tags(cast.project, "dog")
    nothing = agreement.Figures(None, images=0, differ=0, yes_share=None, rarer=0, reading="")
    assert told(cast) == agreement.Agreement(nothing, {ids["dog"]: nothing})
    assert agreement.estimate(cast.project.pk + 10**6) == agreement.Agreement(nothing, {})
