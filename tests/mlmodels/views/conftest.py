"""Versions for the pages of the model: trained ones, and rows as training stores them."""

import pytest

from mlmodels.models import ModelVersion
from tests.mlmodels.conftest import version_after


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/models/"


@pytest.fixture
def trained(planted):
    """Two versions that went live, the second from more reviews."""
    planted.images(70)
    return [version_after(planted, reviews=count) for count in (30, 20)]


def version_of(planted, number, **fields):
    """A row as training stores it, without a file."""
    figures = {"micro_f1": 0.5 + number / 100, "macro_average_precision": 0.4, "judged_on": "holdout"}
    return ModelVersion.objects.create(
        **{
            "project": planted.project,
            "number": number,
            "extractor": planted.extractor,
            "artifact": f"{number}",
            "artifact_sha256": "0" * 64,
            "verdict": "promoted",
            "metrics": figures,
            "tag_ids": list(planted.tags.values()),
            "vocabulary_version": 1,
            "trained_images": number,
            "trained_reviews": number * 10,
            "trained_decisions": number,
            "fingerprint": "f",
        }
        | fields
    )


def text_of(answer):
    return " ".join(answer.content.decode().split())
