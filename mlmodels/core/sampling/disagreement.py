"""Asks where pixels and caption contradict each other: one of them is wrong, and a person knows which."""

from dataclasses import dataclass

import numpy as np

from mlmodels.core.sampling.base import Appeal, equally, highest
from mlmodels.core.sampling.candidates import Candidates


@dataclass(frozen=True)
class Disagreeing:
    """The images with the widest gap between what pixels and caption alone say of one tag."""

    name: str = "disagreement"

    def appeal(self, candidates: Candidates, *, size: int, salt: str) -> Appeal:
        """Draws from `size` images; those that lack a source, or whose sources agree, are not wanted."""
        gaps = candidates.caption.astype(np.float64) - candidates.vision  # [N, K]
        tags = np.abs(gaps).argmax(axis=1)
        widest = np.take_along_axis(gaps, tags[:, None], axis=1)[:, 0]
        wanted = candidates.has_caption & candidates.has_vision & (widest != 0)
        chosen = highest(np.where(wanted, np.abs(widest), -np.inf), size, candidates, f"{salt}:{self.name}")
        reasons = [
            f"caption says {candidates.tags[k]}, pixels do not"
            if gap > 0
            else f"pixels show {candidates.tags[k]}, caption does not say so"
            for k, gap in zip(tags.tolist(), widest.tolist(), strict=True)
        ]
        return equally(chosen, reasons)
