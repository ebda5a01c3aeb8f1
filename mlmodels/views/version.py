"""Page of one version: the gate's verdict, every tag, and the curves of its evaluation where they were stored."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from annotations.errors import NotFound
from annotations.selectors import model_inputs
from annotations.services import snapshot_truth
from annotations.views.base import ProjectPage
from mlmodels import selectors
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import versions
from mlmodels.views import detail, shown, take, tuning_run

LEARNT_SHOWN = 200
UNLEARNT_SHOWN = 12


def _tag_id(request: HttpRequest) -> int | None:
    """The tag whose curves are asked for."""
    value = request.GET.get("tag", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _tuning(version: ModelVersion) -> tuning_run.TuningShown | None:
    """The run that tuned its backbone; None for a fast head."""
    run = version.run
    return tuning_run.shown(run) if run is not None and run.kind == TrainingRun.Kind.FINETUNE else None


class VersionPage(ProjectPage):
    template = "mlmodels/version.html"
    section = "models"
    needs = "see_models"

    def get(self, request: HttpRequest, project_id: int, version_id: int) -> HttpResponse:
        version = selectors.version(project_id, version_id)
        if version is None:
            raise NotFound(f"Model version {version_id} does not exist in this project.")
        taken = take.of_version(self.project, version)
        if self.is_part:  # only the file that is being made moves
            return _varied(self.page(template="mlmodels/_version_take.html", version=version, **taken))
        parent = selectors.version(project_id, version.parent_id) if version.parent_id else None
        live_id = model_inputs.live(project_id).version_id
        tags = shown.tag_rows(version, parent)
        learnt = [row for row in tags if row.is_learnt]
        unlearnt = [row for row in tags if not row.is_learnt]
        every = bool(request.GET.get("all"))
        page = self.page(
            row=shown.version_row(version, live_id=live_id, previous_id=None),
            version=version,
            parent=parent,
            reasons=shown.reasons(version),
            tuning=_tuning(version),
            taught=snapshot_truth.told(version.snapshot) if version.snapshot else "",
            facts=shown.facts(version.metrics),
            fresh=version.metrics.get("fresh"),
            obstacle=versions.obstacle(version),
            tags=tags if every else [*learnt[:LEARNT_SHOWN], *unlearnt[:UNLEARNT_SHOWN]],
            tag_count=len(tags),
            learnt_count=len(learnt),
            **taken,
            **detail.of_version(self.project, version, _tag_id(request)),
        )
        return _varied(page)


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
