"""How long fine-tuning would take, told before it starts: measured by a worker, kept for pages to read."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache

from annotations.selectors import model_inputs, stats
from annotations.services import storage
from mlmodels import selectors
from mlmodels.services import extractors, finetune_settings, tuned_backbones

logger = logging.getLogger(__name__)

KEPT_S = 3600
# What was in the way, such as memory that others took, may be gone soon.
PROBLEM_KEPT_S = 300
ASKED_FOR_S = 60
_AWAITED = "finetune-estimate-awaited"
SLOW_FROM_S = 1800
_MOST_CHARS = 300
_MINUTE_S, _HOUR_S = 60, 3600


@dataclass(frozen=True)
class Told:
    """Seconds at most on this device, for so many images; `problem` says why it could not be measured."""

    device: str = ""
    seconds: float = 0.0
    images: int = 0
    parameters: int = 0
    problem: str = ""

    @property
    def is_slow(self) -> bool:
        return self.device == "cpu" and self.seconds >= SLOW_FROM_S

    @property
    def sentence(self) -> str:
        """What a page and the command say before anything starts."""
        if self.problem:
            return f"It could not be measured: {self.problem}"
        where, weights = place(self.device), f"{self.parameters:,} weights"
        text = f"At most {lasting(self.seconds)} on {where} for {self.images:,} images, {weights}."
        if self.is_slow:
            text += " On the CPU, people and other jobs share it meanwhile; a GPU takes minutes."
        return text


def place(device: str) -> str:
    """A device of torch, such as cuda:1, in words."""
    return "the CPU" if device == "cpu" else "the GPU"


def lasting(seconds: float) -> str:
    """Words for a time.

    >>> lasting(40), lasting(90), lasting(7300)
    ('1 minute', '2 minutes', '2.0 hours')
    """
    if seconds < _HOUR_S:
        minutes = max(1, -(-int(seconds) // _MINUTE_S))
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds / _HOUR_S:.1f} hours"


def known(project_id: int, options: Mapping[str, Any]) -> Told | None:
    """What was measured within the hour; None if nothing was."""
    found = cache.get(_key(project_id, options))
    return None if found is None else Told(**found)


def may_start(project_id: int, options: Mapping[str, Any]) -> bool:
    """Whether somebody can have seen how long these settings take."""
    told = known(project_id, options)
    return told is not None and not told.problem


def should_ask(project_id: int, options: Mapping[str, Any]) -> bool:
    """Whether a worker should be asked to measure: not twice within a minute. One that tunes makes way for it."""
    is_due = known(project_id, options) is None and cache.add(
        f"{_key(project_id, options)}:asked", 1, timeout=ASKED_FOR_S
    )
    if is_due:
        cache.set(_AWAITED, 1, timeout=ASKED_FOR_S)
    return is_due


def take_awaited() -> bool:
    """Whether somebody waits for a measurement; says so once, for its message may be lost."""
    return bool(cache.delete(_AWAITED))


def measure(project_id: int, options: Mapping[str, Any], *, device: str = "") -> Told:
    """Time a few batches here and keep what was found, or why nothing was: a page waits for either. Loads torch."""
    from mlmodels.core.errors import CoreError

    cache.delete(_AWAITED)
    try:
        told = _measured(project_id, options, device)
    except CoreError as error:
        told = Told(problem=f"{error}.")
    except Exception as error:
        logger.exception("project %s: fine-tuning could not be measured", project_id)
        told = Told(problem=_problem(error))
    keep(project_id, options, told)
    return told


def keep(project_id: int, options: Mapping[str, Any], told: Told) -> None:
    """For pages to read."""
    kept_s = PROBLEM_KEPT_S if told.problem else KEPT_S
    cache.set(_key(project_id, options), asdict(told), timeout=kept_s)


def _measured(project_id: int, options: Mapping[str, Any], device: str) -> Told:
    from mlmodels.core import devices
    from mlmodels.core.learning import estimate
    from mlmodels.core.vision.transforms import transform_for

    read = selectors.read_extractor(project_id)
    if read is None:
        return Told(problem="no image has been looked at yet.")
    settings = finetune_settings.read(options).core(seed=0)
    images = max(1, stats.trainable(project_id).reviews)
    backbone = extractors.load_backbone(read.name)
    found = estimate.measure(
        backbone,
        settings,
        images=images,
        tags=max(1, len(model_inputs.active_tags(project_id))),
        side_px=transform_for(backbone.spec).side_px,
        device=devices.chosen(device),
        folder=tuned_backbones.root(),
    )
    return Told(found.device, round(found.seconds, 1), images, found.parameters)


def _problem(error: Exception) -> str:
    if isinstance(error, OSError) and storage.is_full(error):
        return "the disk is full: free some space, then ask again."
    return (
        f"{type(error).__name__}: {error}"[:_MOST_CHARS]
        + ". Choose fewer stages or a smaller batch, or see the worker's log."
    )


def _key(project_id: int, options: Mapping[str, Any]) -> str:
    chosen = ":".join(str(value) for value in asdict(finetune_settings.read(options)).values())
    return f"finetune-estimate:{project_id}:{chosen}"
