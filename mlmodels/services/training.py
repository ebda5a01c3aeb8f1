"""One training run from claim to live: read the evidence, fit, judge, store, rescore, publish.

Every write names the claim, so that two workers on one run have one effect; a run that was killed goes on
from what it has stored. The policy and people ask for runs elsewhere (`policy`, `runs`).
"""

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from annotations.models.job import JobState
from annotations.selectors import stats
from annotations.services import jobs, live_model, snapshot_truth
from annotations.types import TrainableCounts
from mlmodels import selectors
from mlmodels.errors import CancelledByPerson, NotTrainable
from mlmodels.models import Extractor, ModelVersion, TrainingRun
from mlmodels.services import evidence as evidence_service
from mlmodels.services import heads, judging, rescoring, runs, versions
from mlmodels.services.evidence import Evidence
from mlmodels.services.judging import Judgement

if TYPE_CHECKING:
    from mlmodels.core.learning.fitting import FitResult

logger = logging.getLogger(__name__)

# Answers that arrive while quick fits compute are taken in by another fit: they need not wait for the next run.
# With a pause of 10 s between runs, about this long makes the waits of early and late answers equal.
ABSORB_FOR_S = 6.0
QUICK_FIT_S = 3.0
# Who answered within the last second will answer again: a look taken too early would leave that answer to a run
# that may not start before the policy's pause is over.
STILL_ANSWERING_S = 1.0
LINGER_S = 2.5
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, eq=False)
class Fitted:
    evidence: Evidence
    result: "FitResult"


def execute(run_id: int) -> TrainingRun | None:
    """Do the run, whatever becomes of it; None if it is taken, finished, or another one runs."""
    run = runs.claim(run_id)
    if run is None:
        return None
    try:
        with runs.kept_alive(run):
            _work(run)
    except CancelledByPerson:
        jobs.finish(run, JobState.CANCELLED, reason="Stopped at a person's wish.")
    except NotTrainable as error:
        jobs.finish(run, JobState.REFUSED, reason=error.message)
    except jobs.ClaimLost:
        logger.warning("run %s was taken over by another worker", run_id)
    except Exception as error:  # the outer edge of the work: the row must not stay open
        logger.exception("run %s failed", run_id)
        jobs.finish(run, JobState.FAILED, reason=f"{type(error).__name__}: {error}"[:500])
    run.refresh_from_db()
    return run


def _work(run: TrainingRun) -> None:
    version = selectors.version_of_run(run.pk)
    if version is None:
        started = time.monotonic()
        runs.enter(run, "read")
        fitted = _read_and_fit(run)
        if fitted is None:
            return
        runs.enter(run, "judge")
        judgement = judging.judge(
            run.project_id,
            fitted.evidence,
            fitted.result.head,
            fitted.result.out_of_fold,
            seed=run.seed,
        )
        runs.enter(run, "store")
        version = store(run, fitted, judgement, seconds=time.monotonic() - started)
    if version.verdict == ModelVersion.Verdict.REFUSED:
        _end_refused(run, version)
        return
    runs.enter(run, "rescore")
    rescoring.before_promotion(version)
    runs.enter(run, "publish")
    _end_live(run, version)


def _read_and_fit(run: TrainingRun) -> Fitted | None:
    """Fit from the newest evidence; None if the newest version was trained on it, which ends the run."""
    extractor = _extractor(run)
    evidence = evidence_service.read(run.project_id, extractor, run.snapshot)
    if _is_known(run.project_id, evidence):
        _end_skipped(run, evidence)
        return None
    _refuse_untrainable(run, evidence)
    runs.enter(run, "fit")
    began = time.monotonic()
    while True:
        started = time.monotonic()
        fitted = Fitted(evidence, fit_head(evidence, run.seed))
        ended = time.monotonic()
        if run.snapshot is not None:  # nothing can arrive in it
            break
        if ended - started > QUICK_FIT_S or ended - began > ABSORB_FOR_S:
            break
        if not _more_arrived(run.project_id, evidence.counts, until=began + LINGER_S):
            break
        runs.enter(run, "fit")
        evidence = evidence_service.read(run.project_id, extractor)
    return fitted


def _refuse_untrainable(run: TrainingRun, evidence: Evidence) -> None:
    if run.snapshot is not None:
        if not (evidence.training.truth == 1).any():
            raise NotTrainable(
                "Nothing can be learnt: no image that may be trained on has a yes. "
                + snapshot_truth.told(evidence.snapshot)
            )
    elif not (evidence.training.truth >= 0).any():
        _move_cursor(run, evidence)
        raise NotTrainable


def _more_arrived(project_id: int, read: TrainableCounts, *, until: float) -> bool:
    """Whether there are answers beyond `read`; while somebody is answering, looks again until that moment."""
    while (counts := stats.trainable(project_id)) == read:
        quiet_s = (timezone.now() - counts.newest_at).total_seconds() if counts.newest_at else None
        if quiet_s is None or quiet_s > STILL_ANSWERING_S or time.monotonic() > until:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def _extractor(run: TrainingRun) -> Extractor:
    row = run.extractor or selectors.read_extractor(run.project_id)
    if row is None:
        raise NotTrainable("No image has been looked at yet: wait until the first features are computed.")
    return row


def _is_known(project_id: int, evidence: Evidence) -> bool:
    """Whether the newest judged version learned the same, and nothing is left to do with it.

    A refused one may fare better on a larger holdout; one whose run ended before it went live never served.
    """
    newest = selectors.newest_judged(project_id)
    if newest is None or newest.fingerprint != evidence.fingerprint:
        return False
    if newest.verdict == ModelVersion.Verdict.REFUSED:
        return newest.holdout_images == len(evidence.holdout)
    return newest.activated_at is not None and heads.is_usable(newest)


def fit_head(evidence: Evidence, seed: int) -> "FitResult":
    from mlmodels.core.learning.dataset import TrainingSet
    from mlmodels.core.learning.fitting import fit

    training = TrainingSet(
        inputs=evidence.training.batch.inputs,
        truth=evidence.training.truth,
        weights=evidence.training.weights,
        tag_ids=evidence.language.tag_ids,
        image_ids=evidence.training.batch.image_ids,
    )
    unreviewed = evidence.unreviewed.inputs if evidence.unreviewed.image_ids else None
    return fit(training, seed=seed, unreviewed=unreviewed)


def store(run: TrainingRun, fitted: Fitted, judgement: Judgement, *, seconds: float) -> ModelVersion:
    """Write the file, then the row that makes it a version."""
    evidence, verdict = fitted.evidence, judgement.verdict
    assert run.claim is not None
    version = ModelVersion(
        project_id=run.project_id,
        run=run,
        parent=selectors.live_version(run.project_id),
        extractor=evidence.extractor,
        artifact=f"{run.project_id}/run-{run.pk}-{run.claim.hex[:8]}",
        verdict=verdict.outcome,
        reasons=list(verdict.reasons),
        details=verdict.details | {"incumbents": list(judgement.incumbents)},
        metrics=judgement.metrics | {"seconds": round(seconds, 3)},
        tag_metrics=judgement.tag_metrics,
        curves=judgement.curves,
        tag_ids=list(evidence.language.tag_ids),
        vocabulary_version=evidence.vocabulary_version,
        trained_images=len(evidence.training),
        trained_reviews=evidence.counts.reviews,
        trained_decisions=evidence.counts.decisions,
        holdout_images=len(evidence.holdout),
        snapshot=dict(evidence.snapshot),
        fingerprint=evidence.fingerprint,
        seed=run.seed,
    )
    version.artifact_sha256 = _write_file(version, fitted, judgement)
    with transaction.atomic():
        jobs.held(run)
        version.number = versions.next_number(run.project_id)
        version.save()
    return version


def _write_file(version: ModelVersion, fitted: Fitted, judgement: Judgement) -> str:
    from mlmodels.core import artifacts

    head, training = fitted.result.head, fitted.evidence.training
    tensors = dict(head.to_tensors()) | {
        "out_of_fold.image_ids": np.asarray(training.batch.image_ids, dtype=np.int64),
        "out_of_fold.scores": np.asarray(fitted.result.out_of_fold, dtype=np.float32),
    }
    manifest = head.to_manifest() | {
        "tag_ids": list(version.tag_ids),
        "extractor": version.extractor.key,
        "fingerprint": version.fingerprint,
        "seed": version.seed,
        "vocabulary_version": version.vocabulary_version,
        "metrics": version.metrics,
        "training_image_ids": list(training.batch.image_ids),
        "snapshot": version.snapshot or None,
    }
    folder = heads.artifact_folder(version)
    return artifacts.save(folder, tensors, manifest, judged=judgement.stored)


def _end_live(run: TrainingRun, version: ModelVersion) -> None:
    with transaction.atomic():
        jobs.held(run)
        # What a snapshot taught says nothing of the answers since: they still wait to be learnt.
        versions.go_live(version, newly_trained=run.snapshot is None)
        _record(run, version, counts_as_read=run.snapshot is None)
        _finish(run, JobState.DONE, reason=_told(version), result=result(version))


def _end_refused(run: TrainingRun, version: ModelVersion) -> None:
    with transaction.atomic():
        jobs.held(run)
        # What suggestions read has not learnt from this evidence: after a refused change it still waits for it.
        _record(run, version, counts_as_read=run.extractor_id is None and run.snapshot is None)
        reason = " ".join(filter(None, [*version.reasons, _told(version)]))
        _finish(run, JobState.REFUSED, reason=reason, result=result(version))


def _end_skipped(run: TrainingRun, evidence: Evidence) -> None:
    newest = selectors.newest_judged(run.project_id)
    assert newest is not None
    if run.snapshot is None:
        reason = f"Skipped: nothing that training reads has changed since version {newest.number}."
    else:
        reason = f"Skipped: version {newest.number} has learnt what “{run.snapshot.name}” teaches."
    with transaction.atomic():
        jobs.held(run)
        if run.snapshot is None:
            _move_cursor(run, evidence)
        _finish(run, JobState.DONE, reason=reason, result={"skipped": True} | result(newest))


def _finish(run: TrainingRun, state: JobState, *, reason: str = "", result: dict[str, Any]) -> None:
    jobs.beat(run, done=len(runs.STAGES), stage="")
    jobs.finish(run, state, reason=reason, result=result)


def _record(run: TrainingRun, version: ModelVersion, *, counts_as_read: bool = True) -> None:
    live_model.record_candidate(
        run.project_id,
        version=version.number,
        verdict=version.verdict,
        reasons=version.reasons,
        read_decisions=version.trained_decisions if counts_as_read else 0,
        read_reviews=version.trained_reviews if counts_as_read else 0,
    )


def _move_cursor(run: TrainingRun, evidence: Evidence) -> None:
    """Nothing was judged, but this evidence counts as read: there is no more to learn from it."""
    live_model.record_candidate(
        run.project_id,
        version=None,
        verdict="",
        reasons=[],
        read_decisions=evidence.counts.decisions,
        read_reviews=evidence.counts.reviews,
    )


def _told(version: ModelVersion) -> str:
    return snapshot_truth.told(version.snapshot) if version.snapshot else ""


def result(version: ModelVersion) -> dict[str, Any]:
    """What a finished run answers: the candidate, its figures and the verdict, and the snapshot that taught it."""
    return {
        "version": {"id": version.pk, "number": version.number},
        "verdict": version.verdict,
        "reasons": version.reasons,
        "metrics": version.metrics,
        "snapshot": version.snapshot or None,
    }
