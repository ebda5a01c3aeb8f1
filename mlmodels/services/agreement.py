"""How alike people tag the same images, tag by tag and over all tags: Krippendorff's alpha for a page and the API."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import agreement as judgements
from annotations.selectors import kept, model_inputs
from mlmodels.core.evaluation import agreement
from mlmodels.core.evaluation.agreement import Cells
from mlmodels.core.evaluation.intervals import Interval

SEED = 17
FEWEST_RARE = agreement.FEWEST_RARE


@dataclass(frozen=True)
class Figures:
    """What people's answers to one tag, or to all of them, say of how reliable they are.

    Attributes:
        alpha: None where nothing varied: nobody, or everybody, said yes throughout.
        images: how many two people or more were asked about; `differ` of them on which not all said the same.
        yes_share: of their answers; None where there is none.
        rarer: on how many images somebody gave the answer, yes or no, that fewer images have: what alpha rests on.
        reading: reliable, tentative or unreliable; empty where too few images say so.
    """

    alpha: Interval | None
    images: int
    differ: int
    yes_share: float | None
    rarer: int
    reading: str


@dataclass(frozen=True)
class Agreement:
    """Over all tags in use, and of each by its id.

    Over all, `images` were reviewed by two people or more, `differ` are those with a tag that they differ on, and
    `rarer` is summed over the tags.
    """

    overall: Figures
    tags: Mapping[int, Figures]


def told(project_id: int, vocabulary_version: int, *, blind: bool) -> Agreement:
    """As of now, or of a large project within the last minute. `blind`: of images that were tagged blind alone."""
    name = "agreement-blind" if blind else "agreement"
    found = kept.figures(
        project_id, vocabulary_version, name, lambda: asdict(estimate(project_id, blind=blind))
    )
    tags = {int(tag_id): _read(figures) for tag_id, figures in found["tags"].items()}
    return Agreement(_read(found["overall"]), tags)


def _read(figures: dict[str, Any]) -> Figures:
    alpha = figures["alpha"]
    return Figures(**figures | {"alpha": alpha and Interval(**alpha)})


def estimate(project_id: int, *, blind: bool = False) -> Agreement:
    """Work it out from every review. Five queries."""
    project = model_inputs.project(project_id)
    if project is None:
        return Agreement(_figures(None, images=0, differ=0, answers=0, yes=0, rarer=0), {})
    judged = judgements.judged(project, blind=blind)
    kinds: NDArray[np.int64] = np.array(judged.kinds, dtype=np.int64).reshape(-1, 2)
    cells, counts = Cells(kinds[:, 0], kinds[:, 1]), judged.counts.sum(axis=1)
    tags = _of_tags(counts, cells)
    overall = _figures(
        agreement.overall(judged.counts, cells, seed=SEED),
        images=judged.images,
        differ=judged.differ,
        answers=int((counts @ cells.values).sum()),
        yes=int((counts @ cells.yes).sum()),
        rarer=sum(of_tag.rarer for of_tag in tags),
    )
    return Agreement(overall, dict(zip(judged.tag_ids, tags, strict=True)))


def _of_tags(counts: NDArray[np.int64], cells: Cells) -> Sequence[Figures]:
    """Of each row of counts, [K, J]."""
    columns = zip(
        agreement.intervals(counts, cells, seed=SEED),
        counts.sum(axis=1).tolist(),
        counts[:, cells.differing].sum(axis=1).tolist(),
        (counts @ cells.values).tolist(),
        (counts @ cells.yes).tolist(),
        agreement.rarer(counts, cells).tolist(),
        strict=True,
    )
    return [
        _figures(alpha, images=images, differ=differ, answers=answers, yes=yes, rarer=rarer)
        for alpha, images, differ, answers, yes, rarer in columns
    ]


def _figures(
    alpha: Interval | None, *, images: int, differ: int, answers: int, yes: int, rarer: int
) -> Figures:
    is_defined = alpha is not None and not np.isnan(alpha.point)
    return Figures(
        alpha=alpha if is_defined else None,
        images=images,
        differ=differ,
        yes_share=yes / answers if answers else None,
        rarer=rarer,
        reading=agreement.reading(alpha, rarer) if alpha is not None else "",
    )
