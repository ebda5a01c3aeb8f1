"""One fine-tuning run: tune the backbone, look at what judges it, fit a head, pass the gate or not.

Until the gate has let it through the tuned backbone is in shadow: nobody reads its features. Then the project asks for
it as for any other extractor (`extractors`): all images are looked at in the background while the one before serves.
"""

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, transaction

from annotations.models.job import JobState
from annotations.selectors import model_inputs
from annotations.services import jobs, live_model, projects, storage
from mlmodels import selectors
from mlmodels.errors import CancelledByPerson, NotTrainable
from mlmodels.models import Extractor, ModelVersion, TrainingRun
from mlmodels.services import evidence as evidence_service
from mlmodels.services import (
    extractors,
    features,
    finetune_pictures,
    finetune_plan,
    finetune_progress,
    finetune_settings,
    judging,
    rivals,
    runs,
    training,
    tuned_backbones,
)
from mlmodels.services.evidence import Answered, Evidence
from mlmodels.services.finetune_plan import Plan
from mlmodels.services.rivals import Rival

if TYPE_CHECKING:
    from mlmodels.core.learning.ranks import Ranks
    from mlmodels.core.learning.tuning import Tuned, TuningSettings

logger = logging.getLogger(__name__)


def execute(run_id: int, *, device: str = "", steps_aside: bool = False) -> TrainingRun | None:
    """Do the run, or go on with it; None if it is taken, finished, gone with its project, or another one runs.

    With `steps_aside` it stops after a checkpoint as soon as somebody waits for this worker, and is queued again.
    Under `torchrun` the first process does this and the others call `assist`.
    """
    from mlmodels.core import devices
    from mlmodels.core.learning import ranks

    with ranks.joined(devices.chosen(device)) as (together, own_device):
        run = runs.claim(run_id)
        if run is None:
            together.share(None)
            return None
        worker = _Worker(run, own_device, steps_aside, together)
        try:
            _guarded(worker)
        finally:
            worker.send(None)
    return TrainingRun.objects.filter(pk=run.pk).select_related("project", "actor").first()


def assist(*, device: str = "") -> None:
    """Train along with the first process, with what that one sends; ends when it has nothing to train."""
    from mlmodels.core import devices
    from mlmodels.core.learning import ranks
    from mlmodels.core.learning.tuning import Pause, TuningError

    with ranks.joined(devices.chosen(device)) as (together, own_device):
        sent = together.share(None)
        if sent is None:
            return
        plan, settings = sent
        try:
            _tune(plan, settings, own_device, together, lambda _: None)
        except (Pause, TuningError):
            logger.info("process %s ends with the first one", together.rank)


class _Worker:
    """A claimed run, and where it is done."""

    def __init__(self, run: TrainingRun, device: str, steps_aside: bool, ranks: "Ranks") -> None:
        self.run, self.device, self.steps_aside, self.ranks = run, device, steps_aside, ranks
        self._has_sent = False

    def send(self, sent: "tuple[Plan, TuningSettings] | None") -> None:
        """Tell the other processes what to train, once; None sends them home."""
        if not self._has_sent:
            self._has_sent = True
            self.ranks.share(sent)


def _guarded(worker: _Worker) -> None:
    """The outer edge: whatever becomes of the work, the row says it, and what serves is as it was.

    Where the database itself fails it cannot say anything: as after a kill, another worker goes on with the row.
    """
    from mlmodels.core.errors import CoreError
    from mlmodels.core.learning.tuning import Pause

    run = worker.run
    try:
        with runs.kept_alive(run):
            _work(worker)
    except Pause:
        finetune_progress.release(run)
        return
    except CancelledByPerson as error:
        _end(run, JobState.CANCELLED, str(error) or "Stopped at a person's wish.")
    except NotTrainable as error:
        _end(run, JobState.REFUSED, error.message)
    except jobs.ClaimLost:
        logger.warning("run %s was taken over by another worker", run.pk)
        return
    except CoreError as error:
        _end(run, JobState.FAILED, f"{error}. What serves is unchanged.")
    except OSError as error:
        logger.exception("run %s failed", run.pk)
        full = storage.is_full(error)
        told = (
            "The disk is full: free some space and ask again"
            if full
            else f"A file could not be used: {error}"
        )
        _end(run, JobState.FAILED, f"{told}. What serves is unchanged.")
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("run %s failed", run.pk)
        _end(run, JobState.FAILED, f"{type(error).__name__}: {error}"[:500])


def _end(run: TrainingRun, state: JobState, reason: str) -> None:
    try:
        finetune_progress.clear(run)
        jobs.finish(run, state, reason=reason)
    except jobs.ClaimLost:
        logger.warning("run %s was taken over by another worker", run.pk)
        return
    shutil.rmtree(tuned_backbones.work_folder(run.pk), ignore_errors=True)


def _work(worker: _Worker) -> None:
    run = worker.run
    finetune_progress.begin(run, worker.device)
    version = selectors.version_of_run(run.pk)
    if version is None:
        started = time.monotonic()
        row = _tuned_row(worker)
        loaded = extractors.Loaded(row, extractors.load(row.name))
        runs.enter(run, "look")
        _look(worker, loaded)
        runs.enter(run, "fit")
        evidence = evidence_service.read(run.project_id, row)
        finetune_plan.refuse_too_few(evidence)
        result = training.fit_head(evidence, run.seed)
        runs.enter(run, "judge")
        judgement = judging.judge(
            run.project_id,
            evidence,
            result.head,
            result.out_of_fold,
            seed=run.seed,
            frozen=_frozen(run, evidence),
        )
        runs.enter(run, "store")
        fitted = training.Fitted(evidence, result)
        version = training.store(run, fitted, judgement, seconds=time.monotonic() - started)
    _end_judged(run, version)


def _tuned_row(worker: _Worker) -> Extractor:
    """The tuned backbone as an extractor; what was tuned before a kill is not tuned again."""
    from mlmodels.core.vision import tuned

    run, folder = worker.run, tuned_backbones.folder_of_run(worker.run.pk)
    if not (folder / tuned.MANIFEST).exists():
        runs.enter(run, "read")
        plan = finetune_plan.make(run)
        settings = finetune_settings.of_run(run.options).core(seed=run.seed)
        runs.enter(run, "tune")
        worker.send((plan, settings))
        watch = finetune_progress.Watch(run, steps_aside=worker.steps_aside)
        result = _tune(plan, settings, worker.device, worker.ranks, watch)
        finetune_progress.tuned(run, result.curve, result.notes)
        _refuse_no_better(result)
        about = {"run": run.pk, "best_epoch": result.best, "trained_parameters": result.trained_parameters}
        tuned.save(folder, plan.base.partition("@")[0], result.state, about)
        shutil.rmtree(tuned_backbones.work_folder(run.pk), ignore_errors=True)
    assert run.extractor is not None
    return extractors.loaded_row(tuned_backbones.name_for(run.extractor.name, run.pk))


def _tune(plan: Plan, settings: "TuningSettings", device: str, ranks: "Ranks", on_progress: Any) -> "Tuned":
    from mlmodels.core.learning.finetune import tune
    from mlmodels.core.learning.tuning import TuningSet
    from mlmodels.core.vision.transforms import transform_for

    backbone = extractors.load_backbone(plan.base)
    transform = transform_for(backbone.spec)
    training_set = TuningSet(finetune_pictures.reader(plan, transform), plan.truth, plan.image_ids)
    result = tune(
        backbone,
        training_set,
        settings,
        folder=tuned_backbones.work_folder(plan.run_id),
        side_px=transform.side_px,
        device=device,
        on_progress=on_progress,
        ranks=ranks,
    )
    return replace(result, notes=(*result.notes, *finetune_pictures.notes(plan)))


def _refuse_no_better(result: "Tuned") -> None:
    if result.best:
        return
    best = max((point.average_precision for point in result.curve[1:]), default=0.0)
    raise NotTrainable(
        f"No epoch was better than the frozen backbone on the images held back (average precision {best:.3f} at "
        f"best, {result.curve[0].average_precision:.3f} frozen): there is nothing to judge."
    )


def _look(worker: _Worker, loaded: extractors.Loaded) -> None:
    """Features of all that a head is fitted on and judged by: training, holdout, and captions of the unreviewed."""
    run = worker.run
    assert run.extractor is not None
    base = evidence_service.read(run.project_id, run.extractor)
    image_ids = {
        *base.training.batch.image_ids,
        *base.unreviewed.image_ids,
        *(image.image_id for image in model_inputs.holdout(run.project_id)),
    }
    watch = finetune_progress.Watch(run, steps_aside=worker.steps_aside)
    for done in features.compute_these(run.project_id, loaded, sorted(image_ids)):
        watch.looked(done, len(image_ids))


def _frozen(run: TrainingRun, evidence: Evidence) -> Callable[[Answered], Rival | None]:
    """A head over the backbone as it was, taught the same answers: the tuned one has to rank better than that."""
    assert run.extractor is not None
    before = evidence_service.read(run.project_id, run.extractor)
    head = training.fit_head(before, run.seed).head
    return lambda judged: rivals.of_head(run.project_id, head, before, evidence, judged)


def _end_judged(run: TrainingRun, version: ModelVersion) -> None:
    """Refused: it stays in the list with its reasons. Passed: the project asks for its extractor."""
    assert run.extractor is not None
    is_refused = version.verdict == ModelVersion.Verdict.REFUSED
    finetune_progress.clear(run)
    with transaction.atomic():
        jobs.held(run)
        live_model.record_candidate(
            run.project_id,
            version=version.number,
            verdict=version.verdict,
            reasons=version.reasons,
            read_decisions=0,
            read_reviews=0,
        )
        if is_refused:
            reason, state = " ".join(version.reasons), JobState.REFUSED
        else:
            runs.enter(run, "adopt")
            reason, state = _adopt(run.project_id, version.extractor.name, run.extractor.name), JobState.DONE
        jobs.beat(run, done=len(runs.FINETUNE_STAGES), stage="")
        jobs.finish(run, state, reason=reason, result=_result(version))
    shutil.rmtree(tuned_backbones.work_folder(run.pk), ignore_errors=True)


def _adopt(project_id: int, name: str, before: str) -> str:
    if projects.take_extractor(project_id, name=name, instead_of=before):
        return (
            f"{name} looks at all images now; {before} serves until it has, and a version of it has passed."
        )
    return f"The settings ask for another extractor than {before} meanwhile: choose {name} there to use it."


def _result(version: ModelVersion) -> Mapping[str, Any]:
    return training.result(version) | {"extractor": version.extractor.name}
