"""What the strategies may look at: images that wait for a review, with all that the live model says of them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import SamplingError

Floats = NDArray[np.floating]


def _nothing() -> NDArray[np.float32]:
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Candidates:
    """N images and K tags. A row with NaN anywhere is `sound` False: no strategy wants it, chance still draws it.

    Attributes:
        image_ids: N different ids; they decide what chance does.
        tags: K names, for the reasons that people read.
        probability: [N, K] in [0, 1], of everything; `vision` and `caption` [N, K] what one source says alone.
        thresholds: [K], a tag is offered from its threshold on.
        features: [N, D], L2-normalised pictures; zero rows where `has_vision` is False.
        has_vision: bool [N]; has_caption: bool [N].
        yes: int [K], images that people said yes of, by tag.
        reviewed: [R, D], features of images that were reviewed already; empty if there are none.
    """

    image_ids: NDArray[np.int64]
    tags: tuple[str, ...]
    probability: Floats
    vision: Floats
    caption: Floats
    thresholds: Floats
    features: Floats
    has_vision: NDArray[np.bool_]
    has_caption: NDArray[np.bool_]
    yes: NDArray[np.integer]
    reviewed: Floats = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together, by field name."""
        images, tags = len(self.image_ids), len(self.tags)
        for name in ("probability", "vision", "caption"):
            self._expect(name, (images, tags))
        for name in ("has_vision", "has_caption"):
            self._expect(name, (images,))
        for name in ("thresholds", "yes"):
            self._expect(name, (tags,))
        self._expect("features", (images, self.features.shape[-1]))
        if len(set(self.image_ids.tolist())) != images:
            raise SamplingError("image_ids", "expected different ids; ask about each image once")
        if not tags:
            raise SamplingError("tags", "expected at least one; without tags there is nothing to ask")

    def __len__(self) -> int:
        """Number of images."""
        return len(self.image_ids)

    @cached_property
    def sound(self) -> NDArray[np.bool_]:
        """Which rows hold numbers only, bool [N]."""
        arrays = (self.probability, self.vision, self.caption, self.features)
        return np.asarray(np.all([np.isfinite(array).all(axis=1) for array in arrays], axis=0))

    def _expect(self, name: str, shape: tuple[int, ...]) -> None:
        got = getattr(self, name).shape
        if got != shape:
            raise SamplingError(name, f"expected shape {shape}, got {got}; build all arrays together")
