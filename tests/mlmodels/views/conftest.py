"""Versions for the pages of the model: trained ones, and rows as training stores them."""

import pytest

from mlmodels.models import ModelVersion, TrainingRun
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


def refused_run(planted, number, **fields):
    """A run whose version lost AP against v2 and was no worse than v1, as training and its gate store it."""
    figures = [("average_precision", (-0.031, -0.0593, -0.0127)), ("keystrokes", (-0.1, -0.25, 0.05))]
    level = [("average_precision", (0.004, -0.01, 0.02)), ("keystrokes", (0.3, 0.1, 0.48))]
    details = {"incumbents": [1, 2]} | {
        f"incumbent_{place}_{figure}_{part}": value
        for place, compared in enumerate((level, figures))
        for figure, values in compared
        for part, value in zip(("point", "lower", "upper"), values, strict=True)
    }
    fields = {"state": "refused", "trigger": "policy"} | fields
    run = TrainingRun.objects.create(project=planted.project, **fields)
    reasons = ["against incumbent 0: macro …", "against incumbent 1: macro …"]
    version = version_of(planted, number, verdict="refused", run=run, details=details, reasons=reasons)
    run.result = {"version": {"id": version.pk, "number": number}}
    run.save()
    return run


def text_of(answer):
    return " ".join(answer.content.decode().split())
