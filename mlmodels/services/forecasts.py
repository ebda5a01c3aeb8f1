"""Climbs the learning curve of the live version, one fit a step so that training comes in between, and forecasts.

Begun anew when a fifth more images are learnt from, and over another backbone. Web requests only read what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations.models.job import JobState
from mlmodels import selectors
from mlmodels.models import LearningForecast, ModelVersion
from mlmodels.services import evidence as evidence_service
from mlmodels.services.evidence import Answered, Evidence
from mlmodels.services.judging import HOLDOUT_FROM_IMAGES, number

if TYPE_CHECKING:
    from mlmodels.core.evaluation.forecast import Forecast, Point
    from mlmodels.core.learning.dataset import TrainingSet
    from mlmodels.core.learning.ladder import Judged, Rung

# Below this a quarter that is set aside holds hardly a tag that can be judged.
NEEDED_IMAGES = 120
GROWN_BY = 1.2
HOLDOUT, SET_ASIDE = "holdout", "set aside"
STEPS = (1, 2, 5)
SEED = 0


def is_due(project_id: int) -> bool:
    """Whether a curve of the live version is unfinished, or has to be begun."""
    version = selectors.live_version(project_id)
    if version is None or version.trained_images < NEEDED_IMAGES or version.snapshot:
        return False
    newest = _over_backbone_of(version).first()
    if newest is None or newest.finished_at is None:
        return True
    # Images that were deleted since a version went live are in its own number and not in its curve's.
    grown = version.trained_images >= GROWN_BY * newest.images
    return grown and of_version(version.pk) is None


def advance(project_id: int) -> bool:
    """Fit one point, or work out the forecast from all of them; whether there is more to do."""
    if not is_due(project_id) or selectors.runs(project_id).filter(state=JobState.RUNNING).exists():
        return False
    version = selectors.live_version(project_id)
    if version is None:
        return False
    evidence = evidence_service.read(project_id, version.extractor)
    row = _begun(version) or _begin(version, evidence)
    missing = _missing(row)
    if not missing:
        _finish(row)
        return False
    _store(row, _climbed(row, evidence, missing[0]))
    return True


def newest(project_id: int) -> LearningForecast | None:
    """The newest finished forecast over the backbone that serves. Three queries."""
    version = selectors.live_version(project_id)
    if version is None:
        return None
    finished = _over_backbone_of(version).filter(finished_at__isnull=False)
    return finished.select_related("version__extractor").first()


def of_version(version_id: int) -> LearningForecast | None:
    """The finished forecast that was begun for this version."""
    return LearningForecast.objects.filter(version=version_id, finished_at__isnull=False).first()


@dataclass(frozen=True)
class Progress:
    """Why there is no forecast yet: images that the live version has learnt from, and fits done of those needed."""

    learnt: int
    needed: int
    done: int
    total: int


def progress(project_id: int) -> Progress:
    version, row = selectors.live_version(project_id), _unfinished(project_id)
    done = len(row.points) if row else 0
    return Progress(
        learnt=version.trained_images if version else 0,
        needed=NEEDED_IMAGES,
        done=done,
        total=done + len(_missing(row)) if row else 0,
    )


def _over_backbone_of(version: ModelVersion) -> QuerySet[LearningForecast]:
    """The newest first; a curve over features of another extractor says nothing of this version's."""
    rows = LearningForecast.objects.filter(
        project_id=version.project_id, version__extractor=version.extractor_id
    )
    return rows.order_by("-id")


def _unfinished(project_id: int) -> LearningForecast | None:
    rows = LearningForecast.objects.filter(project_id=project_id, finished_at=None)
    return rows.select_related("version").order_by("-id").first()


def _begun(version: ModelVersion) -> LearningForecast | None:
    """The unfinished row, if its points come from features of the extractor that the live version reads."""
    row = _unfinished(version.project_id)
    if row is not None and row.version.extractor_id != version.extractor_id:
        row.delete()
        return None
    return row


def _begin(version: ModelVersion, evidence: Evidence) -> LearningForecast:
    """Settle which images judge, so that every point is judged by the same."""
    if len(evidence.holdout) >= HOLDOUT_FROM_IMAGES:
        judged_on, judged_ids = HOLDOUT, list(evidence.holdout.batch.image_ids)
    else:
        from mlmodels.core.learning import ladder

        judged_on = SET_ASIDE
        judged_ids = list(ladder.set_aside(evidence.training.batch.image_ids, seed=SEED))
    row, _ = LearningForecast.objects.get_or_create(
        version=version,
        defaults={
            "project_id": version.project_id,
            "images": len(evidence.training),
            "judged_on": judged_on,
            "judged_ids": judged_ids,
        },
    )
    return row


def _missing(row: LearningForecast) -> "list[Rung]":
    from mlmodels.core.learning import ladder

    learnt = row.images - (len(row.judged_ids) if row.judged_on == SET_ASIDE else 0)
    done = {(point["images"], point["draw"]) for point in row.points}
    return [rung for rung in ladder.rungs(learnt) if (rung.images, rung.draw) not in done]


def _climbed(row: LearningForecast, evidence: Evidence, rung: "Rung") -> dict[str, Any]:
    """One point: {images, draw, tags: {tag id: average precision}} of the tags with enough yes to be judged."""
    from mlmodels.core.evaluation import ranking
    from mlmodels.core.learning import ladder

    training, judged = _sides(row, evidence)
    unreviewed = evidence.unreviewed.inputs if evidence.unreviewed.image_ids else None
    values = ladder.climb(training, judged, rung, seed=SEED, unreviewed=unreviewed)
    tags = np.flatnonzero(ranking.evaluated_tags(judged.truth) & np.isfinite(values))
    tag_ids = evidence.language.tag_ids
    return asdict(rung) | {"tags": {str(tag_ids[k]): number(values[k]) for k in tags}}


def _sides(row: LearningForecast, evidence: Evidence) -> "tuple[TrainingSet, Judged]":
    """What is learnt from and what judges, as far as they are still there."""
    from mlmodels.core.learning.dataset import TrainingSet
    from mlmodels.core.learning.ladder import Judged

    answered = evidence.training
    judging = evidence.holdout if row.judged_on == HOLDOUT else answered
    here = np.flatnonzero(np.isin(judging.batch.image_ids, row.judged_ids))
    judged = Judged(judging.batch.inputs.rows(here), judging.truth[here], judging.weights[here])
    learnt = np.flatnonzero(~np.isin(answered.batch.image_ids, row.judged_ids))
    training = TrainingSet(
        inputs=answered.batch.inputs.rows(learnt),
        truth=answered.truth[learnt],
        weights=answered.weights[learnt],
        tag_ids=evidence.language.tag_ids,
        image_ids=_ids(answered, learnt),
    )
    return training, judged


def _ids(answered: Answered, rows: "np.ndarray[Any, np.dtype[np.intp]]") -> tuple[int, ...]:
    return tuple(answered.batch.image_ids[n] for n in rows)


@transaction.atomic
def _store(row: LearningForecast, point: dict[str, Any]) -> None:
    """Add the point, unless a task that was delivered twice has added it."""
    held = LearningForecast.objects.select_for_update().get(pk=row.pk)
    if all((one["images"], one["draw"]) != (point["images"], point["draw"]) for one in held.points):
        held.points = [*held.points, point]
        held.save(update_fields=["points"])


def _finish(row: LearningForecast) -> None:
    row.overall, row.tags = _overall(row), {}
    if row.overall:
        row.tags = _tags(row, row.overall["exponent"])
    row.finished_at = timezone.now()
    row.save(update_fields=["overall", "tags", "finished_at"])


def _overall(row: LearningForecast) -> dict[str, Any]:
    """Of all tags together; empty where the points are too few to say."""
    from mlmodels.core.evaluation import forecast

    shared = _tags_of_every_point(row.points)
    points = [
        forecast.Point(point["images"], float(np.mean([point["tags"][tag_id] for tag_id in shared])))
        for point in row.points
        if shared
    ]
    expected = forecast.forecast(points, now=row.images, then=_later(row.images), seed=SEED)
    if not expected:
        return {}
    return {
        "tags": len(shared),
        "now": number(expected[0].now),
        "images": row.images,
        "exponent": number(forecast.fit_curve(points).exponent),
        "expected": [_told(one) | {"more": one.images - row.images} for one in expected],
        "points": [[point.images, number(point.value)] for point in points],
    }


def _tags(row: LearningForecast, exponent: float) -> dict[str, dict[str, Any]]:
    """Of each tag that every point judged: what twice the images would bring."""
    from mlmodels.core.evaluation import forecast

    found = {}
    for tag_id in _tags_of_every_point(row.points):
        points = [forecast.Point(point["images"], point["tags"][tag_id]) for point in row.points]
        doubled = _twice(points, row.images, exponent)
        if doubled is not None:
            found[tag_id] = _told(doubled) | {"would_help": forecast.would_help(doubled)}
    return found


def _twice(points: "Sequence[Point]", images: int, exponent: float) -> "Forecast | None":
    from mlmodels.core.evaluation import forecast

    expected = forecast.forecast(points, now=images, then=[2 * images], seed=SEED, exponent=exponent)
    return expected[0] if expected else None


def _tags_of_every_point(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """A tag that was retired or added while the points came is left out."""
    shared = set.intersection(*[set(point["tags"]) for point in points]) if points else set()
    return sorted(shared, key=int)


def _later(images: int) -> list[int]:
    """So many more as people say it: round numbers up to twice as many."""
    return [images + more for more in sorted({_rounded(images // part) for part in (4, 2, 1)})]


def _rounded(count: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50, ... that is not above the count."""
    power = 10 ** (len(str(count)) - 1)
    return max(step * power for step in STEPS if step * power <= count)


def _told(one: "Forecast") -> dict[str, Any]:
    return {name: number(value) for name, value in asdict(one).items()}
