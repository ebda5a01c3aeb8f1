"""The pages of the model in a real browser: what is on screen starts."""

import pytest
from playwright.sync_api import expect

from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates
from mlmodels.services.finetune_estimates import Told
from tests.factories import make_cast

USUAL = {"stages": 1, "epochs": 12, "batch": 32, "loss": "asymmetric"}


@pytest.fixture
def cast(transactional_db):
    return make_cast()


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/models/"


class TestFinetuning:
    def estimate(self, cast, **changes):
        told = Told("cuda", 60.0 * changes.get("epochs", 12), 300, 700_000)
        finetune_estimates._keep(cast.project.pk, USUAL | changes, told)

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
