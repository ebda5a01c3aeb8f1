"""Page that asks how to fine-tune and says how long it will take here, before it starts anything."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import Conflict
from annotations.views.base import ProjectPage
from mlmodels import selectors, tasks
from mlmodels.forms import FinetuneForm
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates, finetune_plan, finetune_settings, judging, runs
from tagger import health


class FinetunePage(ProjectPage):
    template = "mlmodels/finetune.html"
    section = "models"
    needs = "train"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The form; with settings in the address the estimate for them, which htmx asks for until it is there."""
        form = FinetuneForm(request.GET) if "stages" in request.GET else FinetuneForm(self._usual())
        template = "mlmodels/_finetune_estimate.html" if self.is_part else self.template
        # htmx swaps in no answer of 400, and the part says what is wrong.
        status = 200 if form.is_valid() or self.is_part else 400
        response = self.page(status, template=template, form=form, **self._estimate(form))
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Start these settings; to the estimate for them where that is asked for, or nobody has seen one."""
        form = FinetuneForm(request.POST)
        if not form.is_valid():
            return self.page(400, form=form, **self._estimate(form))
        if "start" not in request.POST or not self._may_start(form):
            return redirect(self._estimate_address(form))
        try:
            run = runs.request_finetune(
                project_id, actor_id=request.user.pk, settings=finetune_settings.read(form.cleaned_data)
            )
        except Conflict as error:
            form.add_error(None, error.message)
            return self.page(409, form=form, **self._estimate(form))
        tasks.nudge(tasks.train, run.pk)
        return redirect("models", project_id)

    def _usual(self) -> dict[str, Any]:
        return {name: field.initial for name, field in FinetuneForm.base_fields.items()} | {
            "loss": "asymmetric"
        }

    def _estimate(self, form: FinetuneForm) -> dict[str, Any]:
        """What was measured for these settings; a worker is asked where nothing was."""
        is_open = selectors.open_run(self.project.pk, TrainingRun.Kind.FINETUNE) is not None
        answered = finetune_plan.answered(self.project.pk)
        may_ask = form.is_valid() and answered.is_enough and not is_open
        told = None
        if may_ask:
            told = finetune_estimates.known(self.project.pk, form.cleaned_data)
            if finetune_estimates.should_ask(self.project.pk, form.cleaned_data):
                tasks.nudge(tasks.estimate_finetuning, self.project.pk, form.cleaned_data)
        return {
            "told": told,
            "is_open": is_open,
            "is_awaited": may_ask and told is None,
            "is_worker_missing": not health.worker_state()["train"],
            "estimate_address": self._estimate_address(form) if form.is_valid() else "",
            "answered": answered,
            "least_training": finetune_plan.LEAST_TRAINING,
            "least_holdout": judging.HOLDOUT_FROM_IMAGES,
        }

    def _may_start(self, form: FinetuneForm) -> bool:
        """Whether there was a button: enough is answered, and somebody can have seen how long it takes."""
        is_enough = finetune_plan.answered(self.project.pk).is_enough
        return is_enough and finetune_estimates.may_start(self.project.pk, form.cleaned_data)

    def _estimate_address(self, form: FinetuneForm) -> str:
        return f"{self.back()}?{urlencode(form.cleaned_data)}"

    def back(self) -> str:
        return self.address("model-finetune")
