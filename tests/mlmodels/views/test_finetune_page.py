"""The page that asks how to fine-tune, and what the page of the models shows of a run."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from annotations.models import Image
from annotations.services import jobs
from mlmodels import tasks
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates, runs
from mlmodels.services.finetune_estimates import Told
from tagger import health
from tests.annotations.views.test_access import assert_nothing_inline
from tests.factories import make_answered
from tests.mlmodels.views.conftest import refused_run, text_of

CHOSEN = {"stages": 2, "epochs": 3, "batch": 16, "loss": "binary"}
START = CHOSEN | {"start": "true"}
CURVE = [
    {"epoch": 0, "loss": None, "held_back_loss": 0.4, "average_precision": 0.5, "seconds": 1.0},
    {"epoch": 1, "loss": 0.31, "held_back_loss": 0.35, "average_precision": 0.55, "seconds": 9.0},
    {"epoch": 2, "loss": 0.22, "held_back_loss": 0.3, "average_precision": 0.61, "seconds": 9.0},
]


@pytest.fixture
def asked_of_workers(planted, monkeypatch):
    """What workers are asked for, in a project with enough answers to tune its backbone by."""
    make_answered(planted.project, training=100, holdout=50)
    monkeypatch.setattr(health, "worker_state", lambda: dict.fromkeys(health.PARTS, True))
    found = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args, countdown_s=None: found.append((task.name, args)))
    return found


def estimated(planted, **changes):
    told = Told("cpu", 5400.0, 300, 700_000)
    finetune_estimates.keep(planted.project.pk, CHOSEN | changes, told)


def running(planted, **tuning):
    run = runs.request_finetune(planted.project.pk, actor_id=planted.cast.admin.pk)
    run = runs.claim(run.pk)
    jobs.beat(run, stage="tune", done=1, tuning=tuning)
    return run


@pytest.mark.parametrize(
    ("who", "status"), [("outsider", 404), ("annotator", 403), ("manager", 403), ("admin", 200)]
)
def test_only_admins_are_asked(planted, browser_of, here, asked_of_workers, who, status):
    client = browser_of(getattr(planted.cast, who))
    assert client.get(f"{here}finetune/").status_code == status
    if status != 200:
        assert client.post(f"{here}finetune/", START).status_code == status
    assert not TrainingRun.objects.exists()


def test_a_worker_measures_before_there_is_a_button_to_start(planted, browser_of, here, asked_of_workers):
    client = browser_of(planted.cast.admin)
    before = text_of(client.get(f"{here}finetune/", CHOSEN))
    again = text_of(client.get(f"{here}finetune/", CHOSEN, headers={"HX-Request": "true"}))
    assert "A worker times a few batches" in before and "Start fine-tuning" not in before
    assert "<h1" not in again
    assert asked_of_workers == [("mlmodels.tasks.estimate_finetuning", (planted.project.pk, CHOSEN))], (
        "asked once"
    )

    estimated(planted)
    told = text_of(client.get(f"{here}finetune/", CHOSEN))
    assert "This machine has no GPU." in told
    assert "At most 1.5 hours on the CPU for 300 images, 700,000 weights." in told
    assert "Start fine-tuning" in told
    assert "hx-trigger" not in told[told.index('id="estimate"') :][:200]


def test_too_few_answers_are_told_with_both_counts_and_nothing_to_start(
    planted, browser_of, here, asked_of_workers
):
    estimated(planted)
    client = browser_of(planted.cast.admin)
    Image.objects.filter(is_holdout=True).first().delete()
    page = text_of(client.get(f"{here}finetune/", CHOSEN))
    assert '>100 of 100</span> reviewed images to train on and <span class="num">49 of 50<' in page
    assert "Start fine-tuning" not in page and "Estimate" not in page and ">Review</a>" in page
    assert client.post(f"{here}finetune/", START).status_code == 302
    assert not TrainingRun.objects.exists() and not asked_of_workers


def test_without_a_worker_nobody_is_told_that_one_measures(
    planted, browser_of, here, asked_of_workers, monkeypatch
):
    monkeypatch.setattr(health, "worker_state", lambda: dict.fromkeys(health.PARTS, False))
    page = text_of(browser_of(planted.cast.admin).get(f"{here}finetune/", CHOSEN))
    assert "The worker for training is not running: the estimate waits for it." in page
    assert "A worker times" not in page


@pytest.mark.parametrize(
    ("told", "words", "is_said"),
    [
        (Told("cpu", 50.0, 300, 7), "At most 1 minute on the CPU for 300 images, 7 weights.", False),
        (Told("cpu", 5400.0, 300, 7), "At most 1.5 hours on the CPU for 300 images, 7 weights.", True),
        (Told("cuda:1", 5400.0, 300, 7), "At most 1.5 hours on the GPU for 300 images, 7 weights.", False),
    ],
)
def test_a_gpu_is_recommended_only_where_the_cpu_takes_long(told, words, is_said):
    assert told.sentence.startswith(words) and ("a GPU takes minutes" in told.sentence) == is_said


def test_what_cannot_be_measured_cannot_be_started(planted, browser_of, here, asked_of_workers):
    finetune_estimates.keep(planted.project.pk, CHOSEN, Told(problem="no image has been looked at yet."))
    page = text_of(browser_of(planted.cast.admin).get(f"{here}finetune/", CHOSEN))
    assert "no image has been looked at yet" in page and "Start fine-tuning" not in page


def test_starting_makes_one_run_with_these_settings(planted, browser_of, here, asked_of_workers):
    client = browser_of(planted.cast.admin)
    estimated(planted)
    estimated(planted, stages=1)
    for _ in range(2):
        assert client.post(f"{here}finetune/", START)["Location"] == here
    run = TrainingRun.objects.get()
    assert (run.kind, run.options) == ("finetune", {"finetune": CHOSEN})
    other = client.post(f"{here}finetune/", START | {"stages": 1})
    assert other.status_code == 409
    assert f"Run {run.pk} tunes the backbone already" in text_of(other)


def test_settings_that_nobody_estimated_are_estimated_instead_of_started(
    planted, browser_of, here, asked_of_workers
):
    client = browser_of(planted.cast.admin)
    estimated(planted)
    answer = client.post(f"{here}finetune/", START | {"epochs": 9}, follow=True)
    assert answer.redirect_chain == [(f"{here}finetune/?stages=2&epochs=9&batch=16&loss=binary", 302)]
    assert "A worker times a few batches" in text_of(answer) and 'value="9"' in text_of(answer)
    assert client.post(f"{here}finetune/", CHOSEN)["Location"].endswith("loss=binary"), "only the estimate"
    finetune_estimates.keep(planted.project.pk, CHOSEN, Told(problem="no image has been looked at yet."))
    client.post(f"{here}finetune/", START)
    assert not TrainingRun.objects.exists()


def test_a_bad_setting_is_marked(planted, browser_of, here, asked_of_workers):
    client = browser_of(planted.cast.admin)
    answer = client.post(f"{here}finetune/", START | {"epochs": "0"})
    assert answer.status_code == 400
    part = client.get(f"{here}finetune/", CHOSEN | {"epochs": "0"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "Epochs at most: Ensure this value" in text_of(part)
    assert 'aria-invalid="true"' in text_of(answer)
    assert not TrainingRun.objects.exists()


def test_the_page_shows_curve_time_left_and_what_happened(planted, browser_of, here):
    run = running(
        planted,
        device="cpu",
        phase="train",
        done=20,
        total=80,
        left_s=700.0,
        curve=CURVE,
        notes=["It was killed."],
    )
    page = text_of(browser_of(planted.cast.manager).get(here))
    assert f"Fine-tuning, run {run.pk}" in page and "asymmetric loss, on the CPU" in page
    assert "tuning the backbone: epoch 4 of 12" in page
    assert (
        "25 % of this stage, 2.7 images a second, at most 12 minutes left" in page
        and "It was killed." in page
    )
    plots = re.findall(r"<data-plot.*?</data-plot>", page)
    assert len(plots) == 2
    assert plots[0].count('<th scope="row"') == 3 and ".61" in plots[0] and 'span="12"' in plots[0]
    assert plots[1].count('<th scope="row"') == 2 and ".2200" in plots[1]
    assert "/cancel/" not in page, "a manager only looks"


def test_the_curve_is_drawn_from_its_first_point(planted, browser_of, here):
    run = running(planted, curve=CURVE[:1])
    client = browser_of(planted.cast.manager)
    page = text_of(client.get(here))
    assert page.count("<data-plot") == 1 and "1 of 7 stages done" in page
    jobs.beat(run, tuning={"curve": CURVE[:2]})
    assert text_of(client.get(here)).count("<data-plot") == 2


def test_an_admin_is_asked_before_it_ends_and_the_page_polls_until_it_stops(planted, browser_of, here):
    run = running(planted, curve=CURVE)
    TrainingRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(hours=2))
    client = browser_of(planted.cast.admin)
    page, address = text_of(client.get(here)), f"{here}runs/{run.pk}/cancel/"
    assert 'hx-trigger="every 2s"' in page and f'href="{address}" aria-label="Cancel fine-tuning"' in page
    asked = text_of(client.get(address))
    assert "It stops at its next batch, after epoch 2 of 12." in asked and "the work of 2.0 hours" in asked
    run.refresh_from_db()
    assert not run.cancel_requested, "only asked so far"
    assert client.post(address)["Location"] == here
    run.refresh_from_db()
    assert run.cancel_requested
    assert "stops at its next batch" in text_of(client.get(here))
    assert "stopped fine-tuning" in text_of(client.get(f"/projects/{planted.project.pk}/people/audit/"))
    jobs.finish(run, "cancelled")
    assert client.get(address)["Location"] == here, "there is nothing left to ask"


def test_cancelling_what_has_not_begun_loses_nothing(planted, browser_of, here):
    run = runs.request_finetune(planted.project.pk, actor_id=planted.cast.admin.pk)
    assert "nothing is lost" in text_of(browser_of(planted.cast.admin).get(f"{here}runs/{run.pk}/cancel/"))
    assert browser_of(planted.cast.manager).get(f"{here}runs/{run.pk}/cancel/").status_code == 403


def test_a_version_says_that_it_was_fine_tuned_and_the_ledger_why_it_was_refused(planted, browser_of, here):
    run = refused_run(
        planted,
        7,
        kind="finetune",
        trigger="person",
        actor=planted.cast.admin,
        tuning={"curve": CURVE, "notes": ["Its worker was killed."]},
        reason="against incumbent 0: macro …",
    )
    page = text_of(browser_of(planted.cast.manager).get(here))
    assert ">fine-tuned<" in page
    link, why = (
        f'<a href="{here}{run.version.pk}/">v7</a>',
        "AP .031 lower than v2, the best of the last 30 days.",
    )
    card, ledger = page[page.index("tuning-title") :], page[page.index("ledger-title") :]
    assert f"{link} did not pass the gate: {why}" in card and "<li>Against v2, the best" in card
    asked = f"admin asked for fine-tuning, run {run.pk}. {link}"
    assert f"{asked} on the tuned backbone did not pass the gate: {why} Its worker was killed.<" in ledger
    assert "incumbent" not in page


@pytest.mark.parametrize(
    ("state", "reason", "is_offered"),
    [
        ("failed", "The disk is full: free some space and ask again.", True),
        ("cancelled", "Stopped at a person's wish.", True),
        ("cancelled", "", True),
        ("refused", "No image has been looked at yet.", False),
    ],
)
def test_a_run_that_ended_before_its_curve_says_why_and_leads_back(
    planted, browser_of, here, state, reason, is_offered
):
    jobs.finish(running(planted), state, reason=reason)
    page = text_of(browser_of(planted.cast.admin).get(here))
    card = page[page.index("tuning-title") : page.index("ledger-title")]
    assert escape(reason or "It had not begun.") in card and "asked for now by admin" in card
    again = f'href="{here}finetune/?stages=1&amp;epochs=12&amp;batch=32&amp;loss=asymmetric"'
    assert (again in card) == is_offered
    assert "Start again" not in text_of(browser_of(planted.cast.manager).get(here))


def test_one_heading_and_nothing_inline(planted, browser_of, here, asked_of_workers):
    html = browser_of(planted.cast.admin).get(f"{here}finetune/").content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert_nothing_inline(html)
