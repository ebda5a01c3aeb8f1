"""`train` and `evaluate`: the worker's services at a prompt."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotations.models import LiveModel
from mlmodels.models import ModelVersion
from mlmodels.services import runs


def run(name, *arguments):
    output = StringIO()
    call_command(name, *map(str, arguments), stdout=output)
    return output.getvalue()


def test_train_puts_a_version_live_and_says_how_good_it_is(planted):
    planted.images(60)
    planted.review(40)

    said = run("train", planted.project.name)

    version = ModelVersion.objects.get()
    assert LiveModel.objects.get(project=planted.project).version_id == version.pk
    assert f"version 1: {version.verdict}" in said
    assert str(version.metrics["macro_average_precision"]) in said


def test_train_fails_with_a_reason_where_there_is_nothing_to_learn(planted):
    planted.images(3)
    with pytest.raises(CommandError, match="review"):
        run("train", planted.project.pk)


def test_train_does_not_disturb_a_run_that_is_at_work(planted):
    planted.images(3)
    runs.claim(runs.request(planted.project.pk).pk)
    with pytest.raises(CommandError, match="Another run"):
        run("train", planted.project.pk)


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_an_unknown_project_is_named(transactional_db, name):
    with pytest.raises(CommandError, match="12345"):
        run(name, 12345)


def test_evaluate_says_where_nothing_was_looked_at_yet(cast):
    with pytest.raises(CommandError, match="looked at"):
        run("evaluate", cast.project.pk)


def test_evaluate_prints_the_live_model_on_the_holdout(planted):
    planted.images(40)
    planted.images(20, first=1000, holdout=True)
    planted.review(50)
    run("train", planted.project.pk)

    said = run("evaluate", planted.project.name)

    assert said.startswith("version 1 on ")
    assert "micro f1" in said
    version = ModelVersion.objects.get()
    again = run("evaluate", planted.project.pk, "--number", 1)
    assert again.startswith(f"version 1: {version.verdict}")
    assert all(reason in again for reason in version.reasons)


def test_evaluate_fails_where_a_verdict_does_not_follow_from_the_stored_scores(planted):
    planted.images(60)
    planted.review(40)
    run("train", planted.project.pk)
    with pytest.raises(CommandError, match="no model version 7"):
        run("evaluate", planted.project.pk, "--number", 7)
    ModelVersion.objects.update(verdict="promoted")
    with pytest.raises(CommandError, match="Expected promoted as stored"):
        run("evaluate", planted.project.pk, "--number", 1)


def test_evaluate_without_a_reviewed_holdout_says_so(planted):
    planted.images(5)
    with pytest.raises(CommandError, match="holdout"):
        run("evaluate", planted.project.pk)
