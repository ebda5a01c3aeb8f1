"""Removes features that nothing needs any more: of extractors that are neither read, nor asked for, nor of use to
go back to. Extractors' rows stay, since versions name them; what is removed is computed again if it is needed.
"""

from dataclasses import dataclass

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.models import Extractor, ImageFeature

ROLL_BACK_DAYS = 30
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Removable:
    """Features of one extractor in one project that may go."""

    project_id: int
    extractor_id: int
    extractor_key: str
    features: int


def removable() -> list[Removable]:
    """What `remove` would delete, by project."""
    found = []
    for project_id in model_inputs.project_ids():
        kept = _needed(project_id)
        for extractor in Extractor.objects.exclude(pk__in=kept).order_by("pk"):
            count = ImageFeature.objects.filter(project_id=project_id, extractor=extractor).count()
            if count:
                found.append(Removable(project_id, extractor.pk, extractor.key, count))
    return found


def remove(part: Removable) -> int:
    """Delete in portions, so that no long lock arises; answers how many went. Safe to repeat after a kill."""
    if part.extractor_id in _needed(part.project_id):
        return 0
    removed = 0
    rows = ImageFeature.objects.filter(project_id=part.project_id, extractor_id=part.extractor_id)
    while ids := list(rows.values_list("pk", flat=True)[:_ROWS_AT_ONCE]):
        removed += ImageFeature.objects.filter(pk__in=ids).delete()[0]
    return removed


def _needed(project_id: int) -> set[int]:
    """Extractors that suggestions or open runs read, that settings ask for, and those of versions live lately."""
    read = selectors.read_extractor(project_id)
    needed = _asked_for(project_id) | selectors.in_open_runs(project_id)
    needed |= {version.extractor_id for version in selectors.went_live_lately(project_id, ROLL_BACK_DAYS)}
    live = selectors.live_version(project_id)
    if live is not None:
        needed |= {version.extractor_id for version in selectors.earlier_live(live)[:1]}
    return needed if read is None else needed | {read.pk}


def _asked_for(project_id: int) -> set[int]:
    """What the settings ask for: by name alone until a worker has followed them and loaded it."""
    project, state = model_inputs.project(project_id), selectors.project_extractor(project_id)
    found = set() if state is None or state.extractor_id is None else {state.extractor_id}
    is_followed = state is not None and project is not None and state.name == project.extractor
    if project is not None and not (found and is_followed):
        found |= set(Extractor.objects.filter(name=project.extractor).values_list("pk", flat=True))
    return found
