"""The best tags of an image are those of a stable sort, and any name arrives in the reason of a rank."""

import numpy as np
import pytest

from annotations.models import QueueEntry
from annotations.services import queue
from annotations.types import QueueRank
from mlmodels.services.suggestion_rows import highest


@pytest.mark.parametrize(("tags", "most"), [(50, 20), (20, 20), (3, 20), (0, 20)])
def test_the_highest_are_the_first_of_a_stable_sort(tags: int, most: int) -> None:
    # One digit: most values are shared by several tags.
    values = np.random.default_rng(0).random((200, tags)).round(1).astype(np.float32)

    found = highest(values, most)

    np.testing.assert_array_equal(found, np.argsort(-values, axis=1, kind="stable")[:, :most])


def test_any_text_arrives_in_a_reason_as_it_was(planted):
    reasons = ['back\\slash "quote"', "{curly}, comma", "NULL", "", "a\tb\nc 🐕"]
    images = planted.images(len(reasons))

    ranks = [
        QueueRank(image.pk, float(n), reason)
        for n, (image, reason) in enumerate(zip(images, reasons, strict=True))
    ]
    assert queue.fill(planted.project.pk, ranks) == len(reasons)

    stored = QueueEntry.objects.in_bulk([image.pk for image in images])
    assert [stored[image.pk].reason for image in images] == reasons
    assert [stored[image.pk].rank for image in images] == [0, 1, 2, 3, 4]
