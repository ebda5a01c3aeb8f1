"""Images that wait, of any number and kind, for the tests of strategies."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.sampling.candidates import Candidates


def candidates(images: int = 60, tags: int = 5, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(images, 8))
    return Candidates(
        image_ids=rng.permutation(10 * images)[:images].astype(np.int64),
        tags=tuple(["dog", "boat", "tree", "kite", "lake", "owl"][:tags]),
        probability=rng.random((images, tags)),
        vision=rng.random((images, tags)),
        caption=rng.random((images, tags)),
        thresholds=np.full(tags, 0.5),
        features=features / np.linalg.norm(features, axis=1, keepdims=True),
        has_vision=np.ones(images, dtype=bool),
        has_caption=np.ones(images, dtype=bool),
        yes=np.arange(tags) * 5,
        reviewed=np.eye(8)[:2],
    )


def rows(found: Candidates, chosen: NDArray[np.intp]) -> Candidates:
    """The images at these rows, in that order."""
    fields = ("image_ids", "probability", "vision", "caption", "features", "has_vision", "has_caption")
    return replace(found, **{field: getattr(found, field)[chosen] for field in fields})
