"""What a fine-tuning run trains on, decided once and kept in its folder: a run that goes on must not see other images.

The images are those that train heads: no holdout image, none that looks like one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs, truth
from mlmodels import selectors
from mlmodels.errors import NotTrainable
from mlmodels.models import Extractor, TrainingRun
from mlmodels.services import evidence as evidence_service
from mlmodels.services import judging, tuned_backbones

LEAST_TRAINING = 100
_FILE = "plan.safetensors"


@dataclass(frozen=True, eq=False)
class Plan:
    """N images, truth int8 [N, K], and the name of the backbone to start from. Sent to every process that trains."""

    project_id: int
    run_id: int
    base: str
    seed: int
    image_ids: tuple[int, ...]
    truth: NDArray[np.int8]


@dataclass(frozen=True)
class Answered:
    """How many images people have answered on each side; no further than it takes."""

    training: int
    holdout: int

    @property
    def is_enough(self) -> bool:
        return self.training >= LEAST_TRAINING and self.holdout >= judging.HOLDOUT_FROM_IMAGES


def answered(project_id: int) -> Answered:
    """What a run would find. Some of the images may still teach nothing: those that look like one of the holdout."""
    project = model_inputs.project(project_id)
    if project is None:
        return Answered(0, 0)
    least = {"training": LEAST_TRAINING, "holdout": judging.HOLDOUT_FROM_IMAGES}
    return Answered(*truth.answered_counts(project, **least))


def make(run: TrainingRun) -> Plan:
    """The plan of this run, as it was decided, or decided now.

    Raises:
        NotTrainable: too few reviewed images, with how many are needed.
    """
    from safetensors import numpy as packing

    from mlmodels.core.files import write_whole

    path = tuned_backbones.work_folder(run.pk) / _FILE
    if run.extractor is not None and path.exists():
        arrays = packing.load(path.read_bytes())
        return _of(run, run.extractor, arrays["image_ids"], arrays["truth"])
    extractor = selectors.read_extractor(run.project_id)
    if extractor is None:
        raise NotTrainable("No image has been looked at yet: wait until the first features are computed.")
    evidence = evidence_service.read(run.project_id, extractor)
    refuse_too_few(evidence)
    seen = evidence.training.batch.inputs.has_vision
    image_ids = np.asarray(evidence.training.batch.image_ids, dtype=np.int64)[seen]
    truth = np.ascontiguousarray(evidence.training.truth[seen])
    write_whole(path, packing.save({"image_ids": image_ids, "truth": truth}))
    TrainingRun.objects.filter(pk=run.pk).update(extractor=extractor)
    run.extractor = extractor
    return _of(run, extractor, image_ids, truth)


def _of(
    run: TrainingRun, extractor: Extractor, image_ids: NDArray[np.int64], truth: NDArray[np.int8]
) -> Plan:
    """Images that are gone by now keep their place, so that the order holds, and teach nothing."""
    ids = tuple(int(image_id) for image_id in image_ids)
    present = {image.image_id for image in model_inputs.images(run.project_id, ids)}
    truth = truth.copy()
    truth[[n for n, image_id in enumerate(ids) if image_id not in present]] = -1
    return Plan(run.project_id, run.pk, extractor.name, run.seed, ids, truth)


def refuse_too_few(evidence: evidence_service.Evidence) -> None:
    """Raise NotTrainable with how many reviewed images are needed.

    Without a holdout it would be judged on images that the backbone has learnt by heart.
    """
    found = Answered(int(evidence.training.batch.inputs.has_vision.sum()), len(evidence.holdout))
    if found.is_enough:
        return
    raise NotTrainable(
        f"Fine-tuning needs {LEAST_TRAINING} reviewed images to train on, got {found.training}, and "
        f"{judging.HOLDOUT_FROM_IMAGES} reviewed images of the holdout to be judged by, got {found.holdout}. "
        "Review more."
    )
