"""API of training runs and of the policy that asks for them."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import PAGED, ProjectView, page
from annotations.errors import BadInput, NotFound, Refused
from annotations.models import Project, Role
from annotations.services import requests, snapshot_truth
from mlmodels import selectors, tasks
from mlmodels.api.serializers import PolicyBody, RunBody
from mlmodels.models import PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import finetune_settings, policy, runs


def run_json(run: TrainingRun) -> dict[str, Any]:
    """A job, with what sets a training run apart: its trigger and the stage it is in."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "state": run.state,
        "stage": run.stage,
        "trigger": run.trigger,
        "snapshot": asdict(run.snapshot) if run.snapshot else None,
        "tuning": _tuning_json(run),
        "progress": {"done": run.done, "total": run.total, "unit": run.unit},
        "reason": run.reason,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "errors": run.errors,
        "result": run.result,
    }


def _tuning_json(run: TrainingRun) -> dict[str, Any] | None:
    """How far fine-tuning is, with its curve and what happened on the way; None for a head."""
    if run.kind != TrainingRun.Kind.FINETUNE:
        return None
    shown = {name: run.tuning.get(name) for name in ("device", "phase", "done", "total", "left_s")}
    return (
        shown
        | {name: run.tuning.get(name, []) for name in ("curve", "notes")}
        | run.options.get("finetune", {})
    )


def policy_json(found: TrainingPolicy) -> dict[str, Any]:
    values = {field: getattr(found, field) for field in policy.FIELDS}
    return values | {"finetune_cron": found.finetune_cron or None}


def check_json(check: PolicyCheck) -> dict[str, Any]:
    return {
        "id": check.pk,
        "outcome": check.outcome,
        "code": check.code,
        "reason": check.reason,
        "run": check.run_id,
        "created_at": check.created_at,
    }


class RunList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="training_runs_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Admins. The latest first."""
        project = self.project(Role.ADMIN)
        return page(
            request, selectors.runs(project.pk), lambda rows: [run_json(run) for run in rows], descending=True
        )

    @extend_schema(request=RunBody, responses={202: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Admins. `options` of a head take `snapshot`, those of fine-tuning `stages`, `epochs`, `batch` and `loss`."""
        project = self.project(Role.ADMIN)
        body = RunBody(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        client_id = fields.pop("client_id", None)
        is_finetune = fields["kind"] == TrainingRun.Kind.FINETUNE
        chosen = finetune_settings.read(fields["options"]) if is_finetune else None
        snapshot_id = None if is_finetune else _snapshot_id(fields["options"])

        def ask() -> dict[str, Any]:
            if chosen is not None:
                _refuse_other_extractor(project, fields["extractor"])
                return {"id": runs.request_finetune(project.pk, actor_id=request.user.pk, settings=chosen).pk}
            extractor_id = _extractor_to_read(project, fields["extractor"])
            snapshot = None if snapshot_id is None else snapshot_truth.refer(project, snapshot_id)
            run = runs.request(
                project.pk, actor_id=request.user.pk, extractor_id=extractor_id, snapshot=snapshot
            )
            return {"id": run.pk}

        stored, is_new = requests.once(
            project_id=project.pk, user=request.user, client_id=client_id, body=fields, act=ask
        )
        tasks.nudge(tasks.train, stored["id"])
        answer = Response(run_json(_run(project, stored["id"])), status=202 if is_new else 200)
        answer["Location"] = f"{request.path}{stored['id']}/"
        return answer


class RunDetail(ProjectView):
    @extend_schema(operation_id="training_runs_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, run_id: int) -> Response:
        """How far the run is, what came of it and why."""
        return Response(run_json(_run(self.project(Role.ADMIN), run_id)))


class RunCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, run_id: int) -> Response:
        """Stops the run at its next stage, or its next batch; what serves stays."""
        run = _run(self.project(Role.ADMIN), run_id)
        return Response(run_json(runs.cancel(run, actor_id=request.user.pk)))


class Policy(ProjectView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """When the project trains by itself."""
        return Response(policy_json(selectors.policy(self.project(Role.ADMIN).pk)))

    @extend_schema(request=PolicyBody, responses={200: dict})
    def patch(self, request: Request, project_id: int) -> Response:
        """Admins. `finetune_cron` has five fields in UTC; null or empty for never."""
        project = self.project(Role.ADMIN)
        body = PolicyBody(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        return Response(policy_json(policy.update(project.pk, changes, actor_id=request.user.pk)))


class PolicyLedger(ProjectView):
    @extend_schema(parameters=PAGED, responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Why training ran, waited or was refused, the latest first."""
        rows = selectors.ledger(self.project(Role.ADMIN).pk)
        return page(request, rows, lambda found: [check_json(check) for check in found], descending=True)


def _refuse_other_extractor(project: Project, name: str | None) -> None:
    read = selectors.read_extractor(project.pk)
    if name is not None and (read is None or read.name != name):
        raise Refused(
            "Fine-tuning starts from the extractor that suggestions read: leave `extractor` out.",
            code="other_extractor",
        )


def _snapshot_id(options: dict[str, Any]) -> int | None:
    """The snapshot to learn from; None for the present answers. Raises BadInput for what is no option."""
    if unknown := sorted(set(options) - {"snapshot"}):
        raise BadInput(
            f"Unknown options: {', '.join(unknown)}. A run takes `snapshot`.", code="unknown_option"
        )
    snapshot_id = options.get("snapshot")
    if snapshot_id is None:
        return None
    if type(snapshot_id) is not int or not 0 < snapshot_id < 2**63:
        raise BadInput("`snapshot` is the id of a snapshot, a whole number.", code="bad_snapshot")
    return snapshot_id


def _extractor_to_read(project: Project, name: str | None) -> int | None:
    """None for what suggestions read; else the extractor of the settings, once it has looked at every image."""
    read = selectors.read_extractor(project.pk)
    if name is None or (read is not None and read.name == name):
        return None
    ready = selectors.ready_extractor(project.pk)
    if ready is not None and ready.name == name:
        return ready.pk
    if name == project.extractor:
        raise Refused(
            f"{name} has not looked at every image yet; ask again when it has.", code="features_missing"
        )
    raise Refused(
        f"A head is trained over the project's extractor, {project.extractor}: leave `extractor` out.",
        code="other_extractor",
    )


def _run(project: Project, run_id: int) -> TrainingRun:
    run = selectors.run(project.pk, run_id)
    if run is None:
        raise NotFound(f"Training run {run_id} does not exist in this project.")
    return run
