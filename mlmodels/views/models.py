"""Page of the models: what runs, quality against reviews, every version, why training ran or waited, the policy.

Managers look, admins act. What moves is fetched again in two parts: the run, and the rest once it has changed.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, DomainError, NotFound
from annotations.models.job import JobState
from annotations.selectors import model_inputs, snapshots, stats
from annotations.services import snapshot_truth
from annotations.views.base import ProjectPage
from mlmodels import selectors, tasks
from mlmodels.forms import PolicyForm, SourceForm
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import extractor_progress, finetune_schedule, policy, runs, versions
from mlmodels.views import ledger, plots, shown, tuning_run

VERSIONS_SHOWN = 20
VERSIONS_DRAWN = 200
LEDGER_SHOWN = 12
SNAPSHOTS_SHOWN = 50
# What a list does not show: it may be megabytes for a large vocabulary.
HEAVY = ("curves", "tag_metrics", "details", "tag_ids", "reasons")


class ModelsPage(ProjectPage):
    template = "mlmodels/models.html"
    section = "models"
    needs = "see_models"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The page; to htmx the run, and beside it the rest if it is not what was `seen`."""
        now = self._now()
        if not getattr(request, "htmx", False):
            response = self.page(
                **now, **self._rest(), **self._snapshots(), form=PolicyForm.of(now["policy"])
            )
        elif request.GET.get("seen") == now["seen"]:
            response = self.page(template="mlmodels/_models_now.html", **now)
        else:
            response = self.page(template="mlmodels/_models_moved.html", **now, **self._rest(), moved=True)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _now(self) -> dict[str, Any]:
        run = selectors.open_run(self.project.pk)
        training_policy = selectors.policy(self.project.pk)
        live = model_inputs.live(self.project.pk)
        counts = stats.trainable(self.project.pk)
        newest_id = selectors.newest_judged_id(self.project.pk)
        check = selectors.ledger(self.project.pk).first()
        last = selectors.newest_run(self.project.pk)
        tuning = selectors.open_run(self.project.pk, TrainingRun.Kind.FINETUNE)
        last_tuning = tuning or selectors.newest_run(self.project.pk, TrainingRun.Kind.FINETUNE)
        return {
            "run": run,
            "tuning": None if last_tuning is None else self._tuning(last_tuning),
            "stage": shown.stage(run) if run else "",
            "stage_number": min(run.done + 1, run.total or 1) if run else 0,
            "live": live,
            "waiting": max(0, counts.reviews - live.read_reviews),
            "policy": training_policy,
            "next_tuning": finetune_schedule.upcoming(training_policy),
            "extractor": extractor_progress.of_project(self.project.pk),
            "seen": "-".join(
                str(part)
                for part in (
                    newest_id or 0,
                    live.version_id or 0,
                    check.pk if check else 0,
                    last.pk if last else 0,
                    last.state if last else "",
                    last_tuning.pk if last_tuning else 0,
                    last_tuning.state if last_tuning else "",
                )
            ),
        }

    def _tuning(self, run: TrainingRun) -> tuning_run.TuningShown:
        is_refused = run.state == JobState.REFUSED
        return tuning_run.shown(run, selectors.refused_of_runs([run.pk]).get(run.pk) if is_refused else None)

    def _snapshots(self) -> dict[str, Any]:
        """What a run may learn from instead of the present answers: the newest, and one that a link has `picked`."""
        picked = SourceForm(self.request.GET).snapshot_id()
        ready = snapshots.ready(self.project)
        shown_ones = list(ready[:SNAPSHOTS_SHOWN])
        if picked is not None and all(one.pk != picked for one in shown_ones):
            shown_ones += ready.filter(pk=picked)
        return {"snapshots": shown_ones, "picked": picked}

    def _rest(self) -> dict[str, Any]:
        project_id = self.project.pk
        live_id = model_inputs.live(project_id).version_id
        found = list(selectors.versions(project_id).defer(*HEAVY)[:VERSIONS_DRAWN])
        previous = _before(found, live_id)
        previous_id = previous.pk if previous else None
        rows = [shown.version_row(version, live_id=live_id, previous_id=previous_id) for version in found]
        every = bool(self.request.GET.get("all"))
        return {
            "rows": rows if every else rows[:VERSIONS_SHOWN],
            "more": 0 if every else max(0, len(rows) - VERSIONS_SHOWN),
            "live_row": next((row for row in rows if row.state == "live"), None),
            "previous": previous,
            "quality": plots.quality(rows),
            "ledger": self._ledger(),
        }

    def _ledger(self) -> list[ledger.Entry]:
        told = selectors.ledger(self.project.pk).exclude(code__in=ledger.PASSING_MOMENTS)
        checks = list(told.select_related("run")[:LEDGER_SHOWN])
        asked = list(selectors.runs(self.project.pk).filter(trigger="person")[:LEDGER_SHOWN])
        found = [*asked, *(check.run for check in checks if check.run)]
        refused = selectors.refused_of_runs([run.pk for run in found if run.state == JobState.REFUSED])
        return ledger.entries(checks, asked, refused, LEDGER_SHOWN)


def _before(found: Sequence[ModelVersion], live_id: int | None) -> ModelVersion | None:
    """What was live before the live version. One that was put live after it has an unreadable file."""
    live_since = next((version.activated_at for version in found if version.pk == live_id), None)
    earlier = [
        (version.activated_at, version)
        for version in found
        if version.activated_at is not None and live_since is not None and version.activated_at < live_since
    ]
    return max(earlier, key=lambda pair: pair[0])[1] if earlier else None


class TrainNow(ProjectPage):
    section = "models"
    needs = "train"

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = SourceForm(request.POST)
        if not form.is_valid():
            raise BadInput("Pick a snapshot from the list.", code="bad_snapshot")
        snapshot_id = form.snapshot_id()
        snapshot = None if snapshot_id is None else snapshot_truth.refer(self.project, snapshot_id)
        run = runs.request(project_id, actor_id=request.user.pk, snapshot=snapshot)
        tasks.nudge(tasks.train, run.pk)
        return redirect("models", project_id)

    def back(self) -> str:
        return self.address("models")


class CancelRun(ProjectPage):
    """Asks before hours of fine-tuning end; what takes seconds is stopped without."""

    template = "mlmodels/cancel.html"
    section = "models"
    needs = "train"

    def get(self, request: HttpRequest, project_id: int, run_id: int) -> HttpResponse:
        run = self._run(run_id)
        if run.state not in selectors.OPEN_STATES:
            return redirect("models", project_id)
        return self.page(run=run, lost=tuning_run.lost(run))

    def post(self, request: HttpRequest, project_id: int, run_id: int) -> HttpResponse:
        runs.cancel(self._run(run_id), actor_id=request.user.pk)
        return redirect("models", project_id)

    def _run(self, run_id: int) -> TrainingRun:
        run = selectors.run(self.project.pk, run_id)
        if run is None:
            raise NotFound(f"Training run {run_id} does not exist in this project.")
        return run

    def back(self) -> str:
        return self.address("models")


class PolicyPage(ProjectPage):
    """The form stands on the page of the models, and alone here when it was refused."""

    template = "mlmodels/policy.html"
    section = "models"
    needs = "edit_policy"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self.page(form=PolicyForm.of(selectors.policy(project_id)))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = PolicyForm(request.POST)
        if form.is_valid():
            try:
                policy.update(project_id, form.cleaned_data, actor_id=request.user.pk)
            except DomainError as error:
                form.refuse(error.message, error.fields)
            else:
                tasks.nudge_policy(project_id)
                messages.success(request, "The policy is saved.")
                return redirect("models", project_id)
        return self.page(400, form=form)


class ActivatePage(ProjectPage):
    """Asks before another version serves, and puts it live."""

    template = "mlmodels/activate.html"
    section = "models"
    needs = "activate_model"

    def get(self, request: HttpRequest, project_id: int, version_id: int) -> HttpResponse:
        version = selectors.version(project_id, version_id)
        if version is None:
            raise NotFound(f"Model version {version_id} does not exist in this project.")
        live = selectors.live_version(project_id)
        row = shown.version_row(version, live_id=live.pk if live else None, previous_id=None)
        live_row = shown.version_row(live, live_id=live.pk, previous_id=None) if live else None
        return self.page(
            row=row,
            live_row=live_row,
            refusal=shown.refusal(version),
            reasons=shown.beside_refusal(version),
            obstacle=versions.obstacle(version),
        )

    def post(self, request: HttpRequest, project_id: int, version_id: int) -> HttpResponse:
        version = versions.activate(project_id, version_id, actor_id=request.user.pk)
        tasks.nudge(tasks.version_activated, project_id)
        messages.success(request, f"v{version.number} is live. Suggestions of the next images follow.")
        return redirect("models", project_id)

    def back(self) -> str:
        return self.address("models")
