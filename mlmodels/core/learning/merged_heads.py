"""A head for a vocabulary in which tags were merged since it was trained: until the next training their columns go on
speaking, for the surviving tag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.encoding import Encoding
from mlmodels.core.learning.fusion import Scores
from mlmodels.core.learning.heads import Floats, Head


@dataclass(frozen=True)
class MergedHead:
    """Scores K tags with K + S columns.

    Attributes:
        head: of K + S tags; the last S were merged. Their evidence speaks for themselves alone: that of the surviving
            tag, whose words theirs are by now, already speaks of all others.
        into: intp [S], the column of the surviving tag of each.
        thresholds: float32 [K]; a tag is offered where it or what was merged into it would have been.
    """

    head: Head
    into: NDArray[np.intp]
    thresholds: Floats

    @property
    def encoding(self) -> Encoding:
        """How inputs become columns."""
        return self.head.encoding

    def score(self, inputs: HeadInputs) -> Scores:
        """Score N images for the K tags, each by the column that says most; raises what `Head.score` raises."""
        tags = len(self.thresholds)
        scores = self.head.score(inputs.columns(np.concatenate([np.arange(tags), self.into])))
        return Scores(
            probability=self._joined(scores.probability),
            vision=self._joined(scores.vision),
            caption=self._joined(scores.caption),
        )

    def _joined(self, scores: Floats) -> Floats:
        """[N, K + S] to [N, K]."""
        tags = len(self.thresholds)
        joined = scores[:, :tags].copy()
        for column, into in enumerate(self.into, start=tags):
            joined[:, into] = np.maximum(joined[:, into], scores[:, column])
        return joined


def carried(
    head: Head, tag_ids: Sequence[int], merged: Mapping[int, int], origins: Mapping[int, int]
) -> Head | MergedHead:
    """The head for today's tags.

    Args:
        tag_ids: K ids, the order of the columns of inputs and scores.
        merged: tags that are part of another one by now, with that one.
        origins: tags that were made of another one, with that one (`Head.align`).
    """
    column = {tag: k for k, tag in enumerate(tag_ids)}
    known = set(head.tag_ids)
    extra = [tag for tag, into in merged.items() if tag in known and tag not in column and into in column]
    aligned = head.align([*tag_ids, *extra], origins)
    if not extra:
        return aligned
    into = np.array([column[merged[tag]] for tag in extra], dtype=np.intp)
    thresholds = aligned.thresholds[: len(tag_ids)].copy()
    np.minimum.at(thresholds, into, aligned.thresholds[len(tag_ids) :])
    own = replace(
        aligned,
        meaning=_speaking_for_themselves(aligned.meaning, len(tag_ids)),
        caption=_speaking_for_themselves(aligned.caption, len(tag_ids)),
        pixels=_speaking_for_themselves(aligned.pixels, len(tag_ids)),
    )
    return MergedHead(head=own, into=into, thresholds=thresholds)


def _speaking_for_themselves(evidence: Floats, first: int) -> Floats:
    """[K, K] with the rows from `first` on left with their own column."""
    alone = evidence.copy()
    alone[first:] = 0
    for row in range(first, len(alone)):
        alone[row, row] = evidence[row, row]
    return alone
