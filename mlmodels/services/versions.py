"""Writes of model versions: store a judged candidate, put a version live, keep the previous one serving.

Going live is one UPDATE of the project's live row, in the transaction that marks the version as activated.
"""

import logging
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotations.errors import NotFound
from annotations.services import audit, live_model
from mlmodels import selectors
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import ModelVersion
from mlmodels.services import heads, tuned_backbones
from mlmodels.services.heads import Scorer, Serving

logger = logging.getLogger(__name__)


def next_number(project_id: int) -> int:
    """One above the highest; a unique constraint refuses the second of two that were asked at once."""
    highest = ModelVersion.objects.filter(project_id=project_id).aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


@transaction.atomic
def go_live(version: ModelVersion, *, newly_trained: bool = False) -> None:
    """People see this version from now on; the evidence of a newly trained one counts as read."""
    version.activated_at = timezone.now()
    version.save(update_fields=["activated_at"])
    live_model.publish(
        version.project_id,
        version_id=version.pk,
        number=version.number,
        provisional=version.verdict == ModelVersion.Verdict.PROVISIONAL,
        metrics=version.metrics,
        tags=tags_shown(version),
        read_decisions=version.trained_decisions if newly_trained else None,
        read_reviews=version.trained_reviews if newly_trained else None,
    )


def activate(project_id: int, version_id: int, *, actor_id: int | None) -> ModelVersion:
    """Put an earlier, or a refused, version live at a person's wish. Its suggestions follow from a worker."""
    version = selectors.version(project_id, version_id)
    if version is None:
        raise NotFound(f"Model version {version_id} does not exist in this project.")
    _refuse_unreadable(version)
    with transaction.atomic():
        go_live(version)
        audit.record(project_id, "models.activate", actor_id=actor_id, number=version.number)
    return version


@transaction.atomic
def fall_back(project_id: int, found: Scorer | Serving) -> bool:
    """Make official what serves instead of a version whose file is unreadable, and say so.

    False if another version went live in the meantime.
    """
    if not live_model.is_live(project_id, found.instead_of):
        return False
    version = found.version
    logger.error("project %s: %s", project_id, found.problem)
    live_model.publish(
        project_id,
        version_id=version.pk if version else None,
        number=version.number if version else 0,
        provisional=version is not None and version.verdict == ModelVersion.Verdict.PROVISIONAL,
        metrics=(version.metrics if version else {}) | {"problem": found.problem},
        tags=tags_shown(version) if version else {},
    )
    number = version.number if version else 0
    audit.record(project_id, "models.fall_back", actor_id=None, number=number, problem=found.problem)
    return True


def check_file(project_id: int) -> bool:
    """Look whether the live version's file is whole on disk, and fall back if not; says whether it did."""
    live = selectors.live_version(project_id)
    if live is None or not file_problem(live):
        return False
    heads.forget()
    found = heads.serving(project_id)
    return bool(found.problem) and fall_back(project_id, found)


def _refuse_unreadable(version: ModelVersion) -> None:
    """Reads the file anew, without torch: this runs in a web process."""
    problem = file_problem(version)
    if problem:
        raise ArtifactNotReadable(
            f"The file of version {version.number} cannot be used ({problem}). Activate another version.",
            version=version.pk,
        )
    tuned_backbones.refuse_without_weights(version.extractor.name)


def file_problem(version: ModelVersion) -> str:
    """Why its file cannot be used, by the name of the file alone; empty if it can. Reads the file anew."""
    from mlmodels.core.errors import ArtifactError

    heads.forget()
    try:
        heads.load_head(version)
    except ArtifactError as error:
        return f"{error.path.name}: {error.problem}"
    return ""


def obstacle(version: ModelVersion) -> tuple[str, str] | None:
    """What keeps it from serving and why, as two sentences; None if nothing does. Reads the file anew."""
    if problem := file_problem(version):
        return "Its file cannot be used.", f"{problem}."
    if not tuned_backbones.has_weights(version.extractor.name):
        return "Its weights are gone.", f"clean_backbones has removed those of {version.extractor.name}."
    return None


def tags_shown(version: ModelVersion) -> dict[str, dict[str, Any]]:
    """What annotations keeps of each tag: {tag id: {f1, threshold, support, needed}}."""
    return {
        tag_id: {name: figures.get(name) for name in ("f1", "threshold", "support", "needed")}
        for tag_id, figures in version.tag_metrics.items()
    }
