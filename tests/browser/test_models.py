"""The pages of the model in a real browser: what is on screen starts, and what moves takes no place from a reader."""

import pytest
from playwright.sync_api import expect

from annotations.services import jobs
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates, runs
from mlmodels.services.finetune_estimates import Told
from tagger import health
from tests.factories import make_answered, make_cast

USUAL = {"stages": 1, "epochs": 12, "batch": 32, "loss": "asymmetric"}


@pytest.fixture
def cast(transactional_db):
    return make_cast()


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/models/"


class TestFinetuning:
    @pytest.fixture(autouse=True)
    def _enough(self, cast, monkeypatch):
        make_answered(cast.project, training=100, holdout=50)
        monkeypatch.setattr(health, "worker_state", lambda: dict.fromkeys(health.PARTS, True))

    def estimate(self, cast, **changes):
        told = Told("cuda", 60.0 * changes.get("epochs", 12), 300, 700_000)
        finetune_estimates.keep(cast.project.pk, USUAL | changes, told)

    def test_the_estimate_follows_each_edit_and_what_is_on_screen_starts(self, cast, here, sign_in):
        self.estimate(cast)
        page = sign_in(cast.admin, f"{here}finetune/")
        start = page.get_by_role("button", name="Start fine-tuning")
        expect(page.get_by_text("At most 12 minutes")).to_be_visible()

        page.get_by_label("Epochs at most").fill("3")
        assert not start.is_visible() or start.is_disabled()
        expect(page.get_by_text("A worker times a few batches")).to_be_visible()
        self.estimate(cast, epochs=3)
        expect(page.get_by_text("At most 3 minutes")).to_be_visible()
        page.get_by_label("Epochs at most").fill("0")
        expect(page.get_by_text("Epochs at most: Ensure this value")).to_be_visible()
        page.get_by_label("Epochs at most").fill("3")
        start.click()

        page.wait_for_url(f"**{here}")
        assert TrainingRun.objects.get().options["finetune"] == USUAL | {"epochs": 3}

    def test_without_script_an_edit_is_estimated_before_it_can_start(self, cast, here, sign_in):
        self.estimate(cast)
        page = sign_in(cast.admin, f"{here}finetune/", java_script_enabled=False)
        start = page.get_by_role("button", name="Start fine-tuning")
        page.get_by_label("Epochs at most").fill("3")
        start.click()
        expect(page.get_by_text("A worker times a few batches")).to_be_visible()
        expect(page.get_by_label("Epochs at most")).to_have_value("3")
        self.estimate(cast, epochs=3)
        page.get_by_role("button", name="Estimate again").click()
        start.click()
        page.wait_for_url(f"**{here}")
        assert TrainingRun.objects.get().options["finetune"] == USUAL | {"epochs": 3}


class TestAFinetuningRun:
    CURVE = [
        {
            "epoch": n,
            "loss": 0.5 / n if n else None,
            "held_back_loss": 0.4,
            "average_precision": 0.5,
            "seconds": 1.0,
        }
        for n in range(4)
    ]

    @pytest.fixture
    def run(self, cast):
        run = runs.claim(runs.request_finetune(cast.project.pk, actor_id=cast.admin.pk).pk)
        jobs.beat(run, stage="tune", done=1, tuning={"curve": self.CURVE, "device": "cpu"})
        return run

    @pytest.fixture
    def page(self, cast, run, here, sign_in):
        page = sign_in(cast.admin, here)
        expect(page.locator("data-plot[data-drawn]")).to_have_count(2)
        return page

    def wait_for_a_poll(self, page):
        page.evaluate("document.querySelector('[data-live]').dataset.before = ''")
        expect(page.locator("[data-before]")).to_have_count(0)
        expect(page.locator("data-plot[data-drawn]")).to_have_count(2)

    def test_a_poll_leaves_the_keys_where_they_are(self, page):
        cancel = page.get_by_role("link", name="Cancel fine-tuning")
        cancel.focus()
        self.wait_for_a_poll(page)
        expect(cancel).to_be_focused()

        plot = page.locator("data-plot[name^='Average precision']")
        plot.get_by_role("img").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        self.wait_for_a_poll(page)
        expect(plot.get_by_role("img")).to_be_focused()
        expect(plot.locator("[aria-live]")).to_be_empty()
        page.keyboard.press("ArrowRight")
        expect(plot.locator("[aria-live]")).to_contain_text("2:")

        plot.get_by_text("Table", exact=True).click()
        self.wait_for_a_poll(page)
        expect(plot.locator("table")).to_be_visible()
        expect(plot.locator("summary")).to_be_focused()

    def test_what_has_ended_is_not_fetched_again_and_again(self, page, run):
        jobs.finish(run, "failed", reason="The disk is full.")
        expect(page.get_by_text("The disk is full.").first).to_be_visible()
        expect(page.locator("[data-live] data-plot")).to_have_count(0)
        expect(page.locator(".models-rest data-plot[data-drawn]")).to_have_count(2)
