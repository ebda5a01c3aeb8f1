"""Page that asks how to fine-tune and says how long it will take here, before it starts anything."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import Conflict
from annotations.views.base import ProjectPage
from mlmodels import selectors, tasks
from mlmodels.forms import FinetuneForm
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates, finetune_plan, finetune_settings, judging, runs


class FinetunePage(ProjectPage):
    template = "mlmodels/finetune.html"
    section = "models"
    needs = "train"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The form; with settings in the address the estimate for them, which htmx asks for until it is there."""
        form = FinetuneForm(request.GET) if "stages" in request.GET else FinetuneForm(self._usual())
        is_part = bool(getattr(request, "htmx", False))
        template = "mlmodels/_finetune_estimate.html" if is_part else self.template
        response = self.page(
            200 if form.is_valid() else 400, template=template, form=form, **self._estimate(form)
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = FinetuneForm(request.POST)
        if not form.is_valid():
            return self.page(400, form=form, **self._estimate(form))
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
        told = None
        if form.is_valid():
            told = finetune_estimates.known(self.project.pk, form.cleaned_data)
            if finetune_estimates.should_ask(self.project.pk, form.cleaned_data):
                tasks.nudge(tasks.estimate_finetuning, self.project.pk, form.cleaned_data)
        return {
            "told": told,
            "is_open": selectors.open_run(self.project.pk, TrainingRun.Kind.FINETUNE) is not None,
            "least_training": finetune_plan.LEAST_TRAINING,
            "least_holdout": judging.HOLDOUT_FROM_IMAGES,
        }

    def back(self) -> str:
        return self.address("model-finetune")
