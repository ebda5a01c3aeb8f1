"""Whether the gate can be fooled: equal candidates that it calls better, and shuffled answers that it lets through.

    python benchmarks/gate.py PACK [--pairs 200] [--shuffles 50] [--cache FOLDER] [--json FILE]

A/A: two fits on disjoint random halves, one judged as the candidate, the other as what is live; at most 5 % of the
pairs may be called better (average precision surely gains, and no keystroke is lost), on a holdout of any size.
Shuffled: the answers of the training images are dealt to other images before the fit; none may go live, whether the
prior or an honest fit serves. Honest: the same images with their own answers, since a gate that lets nobody through is
not fooled either. Ends with 1 if an A/A or a shuffled line fails.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path

import numpy as np
from learning_curve import Data, load
from numpy.typing import NDArray
from pack import read

from mlmodels.core.evaluation.gate import Verdict, judge
from mlmodels.core.learning.dataset import TrainingSet
from mlmodels.core.learning.fitting import FitResult, fit
from mlmodels.core.learning.fusion import prior_scores

HALF = 300
PAIR_HOLDOUTS = (50, 200, 800, 1500)
HOLDOUTS = (50, 400)
REVIEWS = (25, 100, 500)
MOST_BETTER = 0.05
THRESHOLD = 0.5

Rows = NDArray[np.intp]
Incumbent = tuple[NDArray[np.floating], NDArray[np.floating]]


@dataclass(frozen=True)
class Row:
    """One line of the table: verdicts of all candidates of one kind on one kind of evidence."""

    candidates: str
    reviews: int
    judged_on: str
    images: int
    against: str
    judged: int
    promoted: int
    provisional: int
    refused: int
    better: int

    @property
    def is_fooled(self) -> bool:
        if self.candidates == "A/A":
            return self.better > MOST_BETTER * self.judged
        return self.candidates == "shuffled" and self.promoted + self.provisional > 0


def train(data: Data, rows: Rows, truth: NDArray[np.int8], seed: int) -> FitResult:
    training = TrainingSet(
        inputs=data.inputs.rows(rows),
        truth=truth,
        weights=np.ones(len(rows), dtype=np.float32),
        tag_ids=tuple(range(truth.shape[1])),
        image_ids=tuple(int(row) for row in rows),
    )
    return fit(training, seed=seed)


def prior(data: Data, rows: Rows) -> Incumbent:
    return prior_scores(data.inputs.rows(rows)).probability, np.full(data.truth.shape[1], THRESHOLD)


def serving(data: Data, fitted: FitResult, rows: Rows) -> Incumbent:
    return fitted.head.score(data.inputs.rows(rows)).probability, fitted.head.thresholds


def on_holdout(
    data: Data, fitted: FitResult, taught: NDArray[np.int8], incumbent: Incumbent, rows: Rows, seed: int
) -> Verdict:
    """As the app judges from 50 reviewed holdout images on."""
    scores, thresholds = serving(data, fitted, rows)
    return judge(
        truth=data.truth[rows],
        candidate=scores,
        candidate_thresholds=thresholds,
        incumbents=[incumbent],
        holdout=True,
        seed=seed,
        taught=(taught, fitted.out_of_fold),
    )


def out_of_fold(fitted: FitResult, taught: NDArray[np.int8], incumbent: Incumbent, seed: int) -> Verdict:
    """As the app judges before: on the candidate's own training images, by fits that had not seen them."""
    return judge(
        truth=taught,
        candidate=fitted.out_of_fold,
        candidate_thresholds=fitted.head.thresholds,
        incumbents=[incumbent],
        holdout=False,
        seed=seed,
    )


def counted(verdicts: Iterable[Verdict]) -> dict[str, int]:
    found = list(verdicts)
    outcomes = Counter(verdict.outcome for verdict in found)
    return {
        "judged": len(found),
        **{outcome: outcomes[outcome] for outcome in ("promoted", "provisional", "refused")},
        "better": sum(verdict.details.get("better") == 1.0 for verdict in found),
    }


def equal_pairs(data: Data, pairs: int) -> Iterator[Row]:
    """Two fits on disjoint halves, judged on images of neither."""
    verdicts = defaultdict(list)
    for pair in range(pairs):
        drawn = np.random.default_rng([pair, 1]).permutation(len(data.truth))
        one, other, unseen = drawn[:HALF], drawn[HALF : 2 * HALF], drawn[2 * HALF :]
        live = train(data, one, data.truth[one], pair)
        taught = data.truth[other]
        candidate = train(data, other, taught, pair)
        for images in PAIR_HOLDOUTS:
            rows = unseen[:images]
            incumbent = serving(data, live, rows)
            verdicts[images].append(on_holdout(data, candidate, taught, incumbent, rows, pair))
    for images, found in verdicts.items():
        yield Row("A/A", HALF, "holdout", images, "its twin", **counted(found))


def taught_and_mistaught(data: Data, reviews: int, shuffles: int) -> Iterator[Row]:
    """Fits on answers that were dealt to other images, and on the right ones, judged both ways."""
    verdicts = defaultdict(list)
    for number in range(shuffles):
        rng = np.random.default_rng([number, reviews])
        rows, unseen = rng.permutation(data.train)[:reviews], rng.permutation(data.val)
        right, dealt = data.truth[rows], data.truth[rng.permutation(rows)]
        honest, shuffled = train(data, rows, right, number), train(data, rows, dealt, number)
        for images in (0, *HOLDOUTS):
            at = unseen[:images] if images else rows
            rivals = {"the prior": prior(data, at), "an honest fit": serving(data, honest, at)}
            kinds = [("shuffled", shuffled, dealt, name) for name in rivals]
            for kind, fitted, taught, name in [*kinds, ("honest", honest, right, "the prior")]:
                verdict = (
                    on_holdout(data, fitted, taught, rivals[name], at, number)
                    if images
                    else out_of_fold(fitted, taught, rivals[name], number)
                )
                verdicts[kind, images, name].append(verdict)
    for (kind, images, name), found in sorted(verdicts.items()):
        where = ("holdout", images) if images else ("out of fold", reviews)
        yield Row(kind, reviews, *where, name, **counted(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--shuffles", type=int, default=50)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = load(read(options.pack), options.cache)
    names = [field.name for field in fields(Row)]
    print("| " + " | ".join(name.replace("_", " ") for name in names) + " |")
    print("| --- " * len(names) + "|")
    rows = []
    mistaught = (taught_and_mistaught(data, reviews, options.shuffles) for reviews in REVIEWS)
    for row in chain(equal_pairs(data, options.pairs), *mistaught):
        rows.append(row)
        print("| " + " | ".join(str(value) for value in asdict(row).values()) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    sys.exit(any(row.is_fooled for row in rows))


if __name__ == "__main__":
    main()
