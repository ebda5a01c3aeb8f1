"""The pictures of a fine-tuning run's plan, read by row. One that cannot be had is grey, as one that was deleted is."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotations.pictures import PictureError, open_upright
from annotations.selectors import model_inputs
from annotations.services import storage
from mlmodels.services import tuned_backbones
from mlmodels.services.finetune_plan import Plan

if TYPE_CHECKING:
    import torch

    from mlmodels.core.learning.tuning import Pictures
    from mlmodels.core.vision.transforms import Transform

logger = logging.getLogger(__name__)

DECODING_THREADS = 2
_GREY = 128


def reader(plan: Plan, transform: "Transform") -> "Pictures":
    """Reads the plan's pictures by row, uint8 [n, 3, side, side], squashed as the extractor has them."""
    import torch

    keys = {
        image.image_id: image.storage_key for image in model_inputs.images(plan.project_id, plan.image_ids)
    }

    grey = np.full((transform.side_px, transform.side_px, 3), _GREY, dtype=np.uint8)

    def one(row: int) -> NDArray[np.uint8]:
        key = keys.get(plan.image_ids[row])
        pixels = None if key is None else _pixels(plan, plan.image_ids[row], key, transform)
        return grey if pixels is None else pixels

    def read(rows: Sequence[int]) -> "torch.Tensor":
        with ThreadPoolExecutor(DECODING_THREADS) as pool:
            decoded = np.stack(list(pool.map(one, rows)))
        return torch.from_numpy(decoded).permute(0, 3, 1, 2).contiguous()

    return read


def notes(plan: Plan) -> list[str]:
    """How many pictures could not be read, by whichever process or worker of the run."""
    path = _unreadable(plan)
    if not path.exists():
        return []
    count = len(set(path.read_text().split()))
    return [
        f"Pictures that could not be read, and were grey to it: {count:,} of {len(plan.image_ids):,}. "
        "The worker's log names their images."
    ]


def _pixels(plan: Plan, image_id: int, key: str, transform: "Transform") -> NDArray[np.uint8] | None:
    """None for one that cannot be had; a storage that does not answer at all ends the run."""
    try:
        picture = open_upright(storage.read(key), at_least_px=transform.side_px)
    except (FileNotFoundError, PermissionError, PictureError) as error:
        logger.warning("image %s: its stored file cannot be read: %s", image_id, error)
        _keep(plan, image_id)
        return None
    return np.array(transform.squashed(picture), dtype=np.uint8)


def _keep(plan: Plan, image_id: int) -> None:
    """On disk: whoever goes on after a kill reads what the frozen part said, and not the pictures again."""
    with _unreadable(plan).open("a") as file:
        file.write(f"{image_id}\n")


def _unreadable(plan: Plan) -> Path:
    return tuned_backbones.work_folder(plan.run_id) / "unreadable"
