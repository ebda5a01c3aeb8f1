"""Shares with intervals: Wilson's against published figures, and images against the bootstrap over them."""

import random

import pytest

from annotations.selectors import shares
from annotations.selectors.shares import Sums


def sums_of(images: list[tuple[int, int]]) -> Sums:
    """Of (hits, among) of each image."""
    return Sums(
        images=len(images),
        hits=sum(hits for hits, _ in images),
        among=sum(among for _, among in images),
        hits2=sum(hits**2 for hits, _ in images),
        hits_among=sum(hits * among for hits, among in images),
        among2=sum(among**2 for _, among in images),
    )


@pytest.mark.parametrize(
    ("hits", "among", "lower", "upper"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(hits, among, lower, upper):
    assert shares.wilson(hits / among, among) == pytest.approx((lower, upper), abs=5e-5)


def test_one_answer_an_image_is_an_independent_answer():
    found = shares.of_sums(sums_of([(1, 1)] * 30 + [(0, 1)] * 10))
    lower, upper = shares.wilson(0.75, 39)  # the variance of a sample divides by one less
    assert (found.share, found.among, found.images) == (0.75, 40, 40)
    assert (found.lower, found.upper) == pytest.approx((lower, upper))


def test_answers_of_one_image_that_go_together_make_no_narrower_interval():
    together = shares.of_sums(sums_of([(10, 10)] * 30 + [(0, 10)] * 10))
    alone = shares.of_sums(sums_of([(1, 1)] * 30 + [(0, 1)] * 10))
    assert (together.lower, together.upper) == pytest.approx((alone.lower, alone.upper))


def test_the_interval_is_about_that_of_a_bootstrap_over_images():
    rng = random.Random(7)
    images = [
        (sum(rng.random() < right for _ in range(5)), 5) for right in (0.9, 0.6, 0.8, 0.99) for _ in range(30)
    ]
    draws = sorted(
        sum(hits for hits, _ in drawn) / sum(among for _, among in drawn)
        for drawn in (rng.choices(images, k=len(images)) for _ in range(2_000))
    )
    found = shares.of_sums(sums_of(images))
    assert (found.lower, found.upper) == pytest.approx((draws[50], draws[1_950]), abs=0.015)


@pytest.mark.parametrize("share", [0, 1])
def test_none_and_all_leave_room_on_one_side(share):
    found = shares.of_sums(sums_of([(2 * share, 2)] * 10))
    assert found.share == share and found.upper - found.lower == pytest.approx(0.161, abs=0.001)


@pytest.mark.parametrize("images", [[(1, 1)] * 4, [(0, 0)] * 9, []])
def test_too_little_is_no_figure_but_is_counted(images):
    found = shares.of_sums(sums_of(images))
    assert (found.share, found.lower, found.upper, found.images) == (None, None, None, len(images))


def test_another_scale_takes_the_bounds_along():
    found = shares.mapped(shares.of_sums(sums_of([(1, 2)] * 20)), lambda share: share / 2)
    assert found.share == 0.25 and found.lower < 0.25 < found.upper
    assert shares.mapped(shares.NONE, lambda share: share / 2) == shares.NONE
