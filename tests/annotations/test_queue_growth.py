"""Images that come while others are reviewed stand among them, not before them: the stored chances say so."""

import math
import random

import pytest

from annotations.models import Image, QueueEntry, Role
from annotations.services import leases, queue
from annotations.types import QueueRank
from tests.factories import answer_lease, make_images

IMAGES, REVIEWED, DRAWN = 200, 100, 60


@pytest.fixture
def half_reviewed(cast):
    """A hundred of two hundred images are reviewed, and as many more have just come as there were."""
    cast.project.holdout_percent = 0
    cast.project.save()
    make_images(cast.project, IMAGES)
    rng = random.Random(1)
    draw(cast, REVIEWED, rng, "mixed")
    make_images(cast.project, IMAGES, first=IMAGES)
    return rng


def draw(cast, count, rng, mode):
    """Hand out and answer; returns the images."""
    drawn = []
    for _ in range(count):
        (lease,) = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, rng=rng, mode=mode)
        answer_lease(cast, cast.annotator, lease)
        drawn.append(lease)
    return drawn


def newcomers(cast):
    return set(
        Image.objects.filter(project=cast.project).order_by("-pk").values_list("pk", flat=True)[:IMAGES]
    )


@pytest.mark.parametrize("mode", ["random", "uncertain", "mixed"])
def test_new_images_come_as_often_as_their_number_says(cast, half_reviewed, mode):
    new = newcomers(cast)
    drawn = draw(cast, DRAWN, half_reviewed, mode)

    came = sum(lease.image_id in new for lease in drawn)
    share = IMAGES / (IMAGES + IMAGES - REVIEWED)
    assert abs(came - share * DRAWN) < 3 * math.sqrt(DRAWN * share * (1 - share)), came
    assert drawn[0].probability == pytest.approx(1 / (IMAGES + IMAGES - REVIEWED))


def test_the_wait_of_a_new_image_counts_from_where_the_order_stands(cast, half_reviewed):
    """The model's side knows nothing of that: it says how long each image waits."""
    before = QueueEntry.objects.filter(project=cast.project).exclude(image__in=newcomers(cast))
    front = min(before.values_list("rank", flat=True))
    assert front > 0
    rows = [QueueRank(image_id, 0.25, "a reason") for image_id in newcomers(cast)]

    queue.fill(cast.project.pk, rows)
    assert {*QueueEntry.objects.filter(image__in=newcomers(cast)).values_list("rank", flat=True)} == {
        front + 0.25
    }
    assert min(before.values_list("rank", flat=True)) == front

    queue.fill(cast.project.pk, rows, anew=True)
    queue.fill(cast.project.pk, rows)
    assert {*QueueEntry.objects.filter(image__in=newcomers(cast)).values_list("rank", "since")} == {
        (0.25, 0.0)
    }


def test_the_first_images_of_a_project_are_spread_over_all_of_the_order(cast):
    made = make_images(cast.project, 20)
    for entry in QueueEntry.objects.filter(project=cast.project).select_related("image"):
        assert (entry.shuffle, entry.since) == (entry.image.shuffle, 0.0)
        assert entry.rank == pytest.approx(-math.log(1 - entry.image.shuffle))
    assert len(made) == 20
