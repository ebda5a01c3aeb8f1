"""API of training runs and of the policy that asks for them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, page
from annotations.errors import NotFound, Refused
from annotations.models import Project, Role
from annotations.services import jobs, requests
from mlmodels import selectors, tasks
from mlmodels.api.serializers import PolicyBody, RunBody
from mlmodels.models import PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import policy, runs


def run_json(run: TrainingRun) -> dict[str, Any]:
    """A job, with what sets a training run apart: its trigger and the stage it is in."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "state": run.state,
        "stage": run.stage,
        "trigger": run.trigger,
        "progress": {"done": run.done, "total": run.total, "unit": run.unit},
        "reason": run.reason,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "errors": run.errors,
        "result": run.result,
    }


def policy_json(found: TrainingPolicy) -> dict[str, Any]:
    return {field: getattr(found, field) for field in policy.FIELDS} | {"finetune_cron": None}


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
    @extend_schema(operation_id="training_runs_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(Role.ADMIN)
        return page(
            request, selectors.runs(project.pk), lambda rows: [run_json(run) for run in rows], descending=True
        )

    @extend_schema(request=RunBody, responses={202: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(Role.ADMIN)
        body = RunBody(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        client_id = fields.pop("client_id", None)
        _refuse_unknown_kind(fields)

        def ask() -> dict[str, Any]:
            extractor_id = _extractor_to_read(project, fields["extractor"])
            return {"id": runs.request(project.pk, actor_id=request.user.pk, extractor_id=extractor_id).pk}

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
        return Response(run_json(_run(self.project(Role.ADMIN), run_id)))


class RunCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, run_id: int) -> Response:
        return Response(run_json(jobs.request_cancel(_run(self.project(Role.ADMIN), run_id))))


class Policy(ProjectView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        return Response(policy_json(selectors.policy(self.project(Role.ADMIN).pk)))

    @extend_schema(request=PolicyBody, responses={200: dict})
    def patch(self, request: Request, project_id: int) -> Response:
        project = self.project(Role.ADMIN)
        body = PolicyBody(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        if changes.pop("finetune_cron", None):
            raise Refused(
                "This version has no fine-tuning: leave `finetune_cron` null.", code="finetune_unavailable"
            )
        return Response(policy_json(policy.update(project.pk, changes, actor_id=request.user.pk)))


class PolicyLedger(ProjectView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        rows = selectors.ledger(self.project(Role.ADMIN).pk)
        return page(request, rows, lambda found: [check_json(check) for check in found], descending=True)


def _refuse_unknown_kind(fields: dict[str, Any]) -> None:
    if fields["kind"] != TrainingRun.Kind.HEAD:
        raise Refused("This version trains heads only: send the kind “head”.", code="finetune_unavailable")


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
