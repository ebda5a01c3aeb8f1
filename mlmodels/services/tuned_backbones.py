"""Tuned backbones as extractors: their names, their files below the model folder, and removing what nobody needs.

The name is that of the backbone it came from and of the run that made it: `tf_efficientnet_lite0@run-12`.
"""

import re
import shutil
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import Extractor, ModelVersion, ProjectExtractor, TrainingRun
from mlmodels.services import feature_cleanup

FOLDER = "backbones"
_NAME = re.compile(r"(?P<base>[^@\s]+)@run-(?P<run>\d{1,18})")


def name_for(base: str, run_id: int) -> str:
    """What the extractor is called that this run makes; of a tuned one the base is the backbone itself."""
    return f"{base.partition('@')[0]}@run-{run_id}"


def run_of(name: str) -> int | None:
    """The run that made the extractor of this name; None for one that no run made."""
    found = _NAME.fullmatch(name)
    return int(found["run"]) if found else None


def has_seen_answers(version: ModelVersion) -> bool:
    """Whether the version's backbone was tuned on answers of the project, so that no fit over it is wholly out of fold.

    Reads the version's extractor.
    """
    return run_of(version.extractor.name) is not None


def root() -> Path:
    return Path(settings.MODELS_ROOT) / FOLDER


def folder_of_run(run_id: int) -> Path:
    return root() / f"run-{run_id}"


def work_folder(run_id: int) -> Path:
    """Checkpoints, and what the frozen part said; removed when the run ends."""
    return folder_of_run(run_id) / "work"


def has_weights(name: str) -> bool:
    """Whether nobody has removed the weights of this extractor; those that no run made are found when it loads."""
    from mlmodels.core import artifacts

    run_id = run_of(name)
    files = (artifacts.BACKBONE, artifacts.BACKBONE_MANIFEST)
    return run_id is None or all((folder_of_run(run_id) / file).exists() for file in files)


def refuse_without_weights(name: str) -> None:
    """Raise ArtifactNotReadable if the weights of this extractor were removed. No torch: web processes ask."""
    if not has_weights(name):
        raise ArtifactNotReadable(
            f"The weights of {name} were removed by clean_backbones: tune again, or choose another version.",
            code="weights_removed",
            extractor=name,
        )


def belongs_to(name: str, project_id: int | None) -> bool:
    """Whether this project's own run made the extractor of this name."""
    run_id = run_of(name)
    if run_id is None or project_id is None:
        return False
    is_known = Extractor.objects.filter(name=name).exists()
    return is_known and TrainingRun.objects.filter(pk=run_id, project_id=project_id).exists()


def removable() -> list[str]:
    """Names of tuned backbones whose weights no project asks for, reads, or may roll back to."""
    names = []
    for folder in _folders():
        run_id = int(folder.name.removeprefix("run-"))
        run = TrainingRun.objects.filter(pk=run_id).first()
        if run is not None and run.state in selectors.OPEN_STATES:
            continue
        rows = list(Extractor.objects.filter(name__endswith=f"@run-{run_id}"))
        if not any(_is_needed(row, run) for row in rows):
            names.append(folder.name)
    return names


def remove(name: str) -> int:
    """Delete the weights of this run's backbone if nobody needs them; answers how many bytes went."""
    if name not in removable():
        return 0
    folder = root() / name
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return size


def remove_leftovers() -> list[str]:
    """From the sweep: work folders of runs that are over, such as one that was cancelled while it waited."""
    over = []
    for folder in _folders():
        run_id = int(folder.name.removeprefix("run-"))
        is_open = TrainingRun.objects.filter(pk=run_id, state__in=selectors.OPEN_STATES).exists()
        if (folder / "work").is_dir() and not is_open:
            shutil.rmtree(folder / "work", ignore_errors=True)
            over.append(folder.name)
    return over


def _is_needed(row: Extractor, run: TrainingRun | None) -> bool:
    held = Q(extractor=row) | Q(serving=row) | Q(name=row.name)
    # The settings come first: a worker follows them later.
    if model_inputs.is_asked_for(row.name) or ProjectExtractor.objects.filter(held).exists():
        return True
    if run is None:
        return False
    if row.pk in selectors.in_open_runs(run.project_id):
        return True
    live = selectors.live_version(run.project_id)
    if live is not None and live.extractor_id == row.pk:
        return True
    lately = selectors.went_live_lately(run.project_id, feature_cleanup.ROLL_BACK_DAYS)
    earlier = ModelVersion.objects.none() if live is None else selectors.earlier_live(live)[:1]
    return any(version.extractor_id == row.pk for version in [*lately, *earlier])


def _folders() -> list[Path]:
    if not root().is_dir():
        return []
    return sorted(
        folder for folder in root().iterdir() if re.fullmatch(r"run-\d+", folder.name) and folder.is_dir()
    )
