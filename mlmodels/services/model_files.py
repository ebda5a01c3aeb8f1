"""Folders of model files that no version names: what killed runs and deleted projects have left. Removed here.

Only folders as training names them, below the model folder, are ever looked at; one that a row names is never touched.
"""

import logging
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from mlmodels import selectors
from mlmodels.models import ModelVersion, TrainingRun

logger = logging.getLogger(__name__)

# A run that still computes may be about to name its folder; none takes this long from the file to the row.
LEFT_FOR_S = 3600.0
_PROJECT, _RUN = re.compile(r"\d+"), re.compile(r"run-(\d+)-[0-9a-f]{8}")


def remove_orphans(*, left_for_s: float = LEFT_FOR_S) -> list[str]:
    """Remove what nobody names, nobody is about to name and nobody has touched lately; returns the names."""
    found = {f"{folder.parent.name}/{folder.name}": folder for folder in _old_folders(left_for_s)}
    # Runs before rows: a run that ends in between has stored its row by then.
    open_runs = set(TrainingRun.objects.filter(state__in=selectors.OPEN_STATES).values_list("pk", flat=True))
    named = set(ModelVersion.objects.filter(artifact__in=found).values_list("artifact", flat=True))
    removed = []
    for name, folder in sorted(found.items()):
        run = _RUN.fullmatch(folder.name)
        if name in named or (run and int(run[1]) in open_runs):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(name)
    if removed:
        logger.info("removed %s model folders that no version names", len(removed))
    return removed


def _old_folders(left_for_s: float) -> Iterator[Path]:
    root, before = Path(settings.MODELS_ROOT), time.time() - left_for_s
    if not root.is_dir():
        return
    for project in root.iterdir():
        if not _PROJECT.fullmatch(project.name) or not project.is_dir() or project.is_symlink():
            continue
        for folder in project.iterdir():
            is_ours = _RUN.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
            if is_ours and folder.stat().st_mtime < before:
                yield folder
