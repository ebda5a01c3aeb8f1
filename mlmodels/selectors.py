"""Reads of the model's life: features that are missing, versions, runs, the policy and its ledger."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotations.models.job import OPEN_STATES, JobState
from annotations.selectors import arrays, model_inputs
from mlmodels.models import (
    AskingPolicy,
    Extractor,
    ImageFeature,
    ModelExport,
    ModelVersion,
    PolicyCheck,
    ProjectExtractor,
    TrainingPolicy,
    TrainingRun,
)


def without_feature(project_id: int, extractor_id: int, *, after_id: int, limit: int) -> list[int]:
    """Images of the project that this extractor has not looked at, by id."""
    looked = ImageFeature.objects.filter(image_id=OuterRef("pk"), extractor_id=extractor_id)
    images = model_inputs.image_rows(project_id).filter(~Exists(looked), pk__gt=after_id)
    return list(images.order_by("pk").values_list("pk", flat=True)[:limit])


def looked_at(extractor_id: int, image_ids: Sequence[int]) -> set[int]:
    """Those of these images that the extractor has looked at, whether it could load them or not."""
    rows = ImageFeature.objects.filter(arrays.among("image_id", image_ids), extractor_id=extractor_id)
    return set(rows.values_list("image_id", flat=True))


def extractor_of_features(project_id: int) -> Extractor | None:
    """The newest extractor that has looked at any image of the project."""
    rows = ImageFeature.objects.filter(project_id=project_id, extractor_id=OuterRef("pk"))
    return Extractor.objects.filter(Exists(rows)).order_by("-id").first()


def project_extractor(project_id: int) -> ProjectExtractor | None:
    """How far the project is with the extractor of its settings; None until a worker has looked."""
    rows = ProjectExtractor.objects.filter(project_id=project_id)
    return rows.select_related("extractor", "serving").first()


def read_extractor(project_id: int) -> Extractor | None:
    """The extractor whose features suggestions read: the live version's, else the one that served last."""
    live_id = model_inputs.live(project_id).version_id
    if live_id is not None:
        version = ModelVersion.objects.filter(pk=live_id).values("extractor")
        return Extractor.objects.filter(pk__in=version).first()
    state = project_extractor(project_id)
    return (state.serving if state else None) or extractor_of_features(project_id)


def asks_for_another(project_id: int) -> bool:
    """Whether the settings ask for an extractor that suggestions do not read."""
    state, read = project_extractor(project_id), read_extractor(project_id)
    return state is not None and read is not None and state.extractor_id != read.pk


def has_looked_at_all(project_id: int) -> bool:
    """Whether the extractor that was asked for has looked at every image, and that is known."""
    state = project_extractor(project_id)
    if state is None or state.extractor is None or state.complete_at is None:
        return False
    return not wants_features(project_id, state.extractor)


def ready_extractor(project_id: int) -> Extractor | None:
    """The extractor that was asked for and has looked at every image, if suggestions read another one."""
    state = project_extractor(project_id)
    if state is None or state.extractor is None or state.complete_at is None:
        return None
    read = read_extractor(project_id)
    return state.extractor if read is not None and read.pk != state.extractor_id else None


def tried_on_asked_extractor(project_id: int) -> ModelVersion | None:
    """A version on the extractor of the settings, since it was asked for: one that was live, else the newest."""
    state = project_extractor(project_id)
    if state is None or state.extractor_id is None:
        return None
    since = Q(created_at__gte=state.asked_at) | Q(activated_at__gte=state.asked_at)
    tried = versions(project_id).filter(since, extractor_id=state.extractor_id)
    return tried.order_by(F("activated_at").desc(nulls_last=True), "-number").first()


def looked_at_count(project_id: int, extractor_id: int) -> int:
    """How many images of the project this extractor has looked at. Counted by the index, without those in the trash."""
    rows = ImageFeature.objects.filter(project_id=project_id, extractor_id=extractor_id)
    trashed = rows.filter(image__project=project_id, image__deleted_at__isnull=False)
    return max(0, rows.count() - trashed.count())


def wants_features(project_id: int, extractor: Extractor | None) -> bool:
    """Whether any image of the project has not been looked at by this extractor."""
    if extractor is None:
        return model_inputs.image_rows(project_id).exists()
    return bool(without_feature(project_id, extractor.pk, after_id=0, limit=1))


def versions(project_id: int) -> QuerySet[ModelVersion]:
    """Newest first."""
    return (
        ModelVersion.objects.filter(project_id=project_id)
        .select_related("extractor", "run")
        .order_by("-number")
    )


def version(project_id: int, version_id: int) -> ModelVersion | None:
    return versions(project_id).filter(pk=version_id).first()


def version_of_run(run_id: int) -> ModelVersion | None:
    """What a run has stored already; a run that was killed after that goes on from there."""
    return ModelVersion.objects.filter(run_id=run_id).select_related("extractor").first()


def refused_of_runs(run_ids: Collection[int]) -> dict[int, ModelVersion]:
    """The refused versions of these runs, by run, without what is large in their rows but the gate's reasons."""
    rows = ModelVersion.objects.filter(run_id__in=run_ids, verdict=ModelVersion.Verdict.REFUSED)
    return {
        row.run_id: row for row in rows.defer("tag_metrics", "curves", "tag_ids", "metrics") if row.run_id
    }


def live_version(project_id: int) -> ModelVersion | None:
    """The version that serves suggestions; None while the prior does."""
    live = model_inputs.live(project_id)
    return None if live.version_id is None else version(project_id, live.version_id)


def newest_judged(project_id: int) -> ModelVersion | None:
    return versions(project_id).first()


def newest_judged_id(project_id: int) -> int | None:
    """The same for whoever only asks whether there is another one: a row may be megabytes."""
    rows = ModelVersion.objects.filter(project_id=project_id).order_by("-number")
    return rows.values_list("pk", flat=True).first()


def went_live_lately(project_id: int, days: int = 30) -> list[ModelVersion]:
    """Versions that were live within these days, newest first, without what is large in their rows."""
    since = timezone.now() - timedelta(days=days)
    rows = versions(project_id).filter(activated_at__gte=since)
    return list(rows.defer("tag_metrics", "curves", "details", "reasons", "tag_ids"))


def light_versions(project_id: int, limit: int) -> list[ModelVersion]:
    """The newest versions without what is large in their rows."""
    rows = versions(project_id).defer("tag_metrics", "curves", "details", "reasons", "tag_ids", "metrics")
    return list(rows[:limit])


def went_live(project_id: int, limit: int) -> list[ModelVersion]:
    """The last versions that were ever live, the oldest first, without what is large in their rows."""
    rows = versions(project_id).filter(activated_at__isnull=False)
    return list(rows.defer("tag_metrics", "curves", "details", "reasons", "tag_ids")[:limit])[::-1]


def earlier_live(version: ModelVersion) -> list[ModelVersion]:
    """Versions that were live before, the latest first: what serves if this one's file is unreadable."""
    rows = versions(version.project_id).exclude(pk=version.pk).filter(activated_at__isnull=False)
    return list(rows.order_by("-activated_at")[:10])


def open_export(version_id: int) -> ModelExport | None:
    """The file of this version that waits or is being made."""
    return ModelExport.objects.filter(version_id=version_id, state__in=OPEN_STATES).first()


def exports(project_id: int, version_id: int) -> QuerySet[ModelExport]:
    """The files of a version, newest first."""
    rows = ModelExport.objects.filter(project_id=project_id, version_id=version_id)
    return rows.select_related("project", "version", "actor").order_by("-id")


def export(project_id: int, version_id: int, job_id: int) -> ModelExport | None:
    return exports(project_id, version_id).filter(pk=job_id).first()


def version_numbered(project_id: int, number: int | None) -> ModelVersion | None:
    """The version of this number; the live one for None."""
    if number is None:
        return live_version(project_id)
    return versions(project_id).filter(number=number).first()


def runs(project_id: int) -> QuerySet[TrainingRun]:
    """Newest first."""
    return TrainingRun.objects.filter(project_id=project_id).select_related("actor").order_by("-id")


def run(project_id: int, run_id: int) -> TrainingRun | None:
    return runs(project_id).filter(pk=run_id).first()


def open_run(project_id: int, kind: str = TrainingRun.Kind.HEAD) -> TrainingRun | None:
    """The run of this kind that is running, else the one that waits."""
    return runs(project_id).filter(kind=kind, state__in=OPEN_STATES).order_by("-state").first()


def in_open_runs(project_id: int) -> set[int]:
    """Extractors that open runs of the project read or make.

    While one tunes, that is every tuned one: weights that come out the same keep the name of the run before.
    """
    rows = runs(project_id).filter(state__in=OPEN_STATES)
    found = {run.extractor_id for run in rows if run.extractor_id is not None}
    if any(run.kind == TrainingRun.Kind.FINETUNE for run in rows):
        found |= set(Extractor.objects.filter(name__contains="@run-").values_list("pk", flat=True))
    return found


def newest_run(project_id: int, kind: str = TrainingRun.Kind.HEAD) -> TrainingRun | None:
    return runs(project_id).filter(kind=kind).first()


def newest_tuning(project_id: int) -> TrainingRun | None:
    """The newest fine-tuning run that came to an end of its own: with a version, or with nothing better."""
    ended = Q(state__in=(JobState.DONE, JobState.REFUSED)) | Q(version__isnull=False)
    return runs(project_id).filter(ended, kind=TrainingRun.Kind.FINETUNE).first()


def heads_waiting() -> list[int]:
    """Heads of any project that wait for a worker: people wait for them, not for a backbone."""
    rows = TrainingRun.objects.filter(kind=TrainingRun.Kind.HEAD, state=JobState.QUEUED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:100])


def exports_waiting() -> list[int]:
    """Files of versions, of any project, that wait for a worker."""
    rows = ModelExport.objects.filter(state=JobState.QUEUED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:100])


def kind_of_run(run_id: int) -> str:
    return TrainingRun.objects.filter(pk=run_id).values_list("kind", flat=True).first() or ""


def policy(project_id: int) -> TrainingPolicy:
    """The project's policy; the defaults, unsaved, where nobody has changed them."""
    found = TrainingPolicy.objects.filter(project_id=project_id).first()
    return found or TrainingPolicy(project_id=project_id)


def asking_policy(project_id: int) -> AskingPolicy:
    """The project's shares of the active order; the defaults, unsaved, where nobody has changed them."""
    found = AskingPolicy.objects.filter(project_id=project_id).first()
    return found or AskingPolicy(project_id=project_id)


def ledger(project_id: int) -> QuerySet[PolicyCheck]:
    """Newest first."""
    return PolicyCheck.objects.filter(project_id=project_id).order_by("-id")
