"""How well the learning curve of n/2 reviewed images foretells the average precision of n.

    python benchmarks/forecast.py PACK [--images 250 500 1000 0] [--seeds 5] [--steep] [--cache FOLDER] [--json FILE]

As in the app: fits on an eighth, a quarter, half and all of the first n/2 images; once judged on images of split `val`,
as by a holdout, and once on a quarter of the images that is set aside, as before there is one. The other n/2 are then
learnt too, and the same images judge again. `unchanged` is the error of saying that nothing will rise; `within` is the
share of seeds and tags in which the truth lay between the bounds that nine of ten should hold. Tags are those with
5 yes among the judged. With `--steep` there are lines without priors too: such a head starts from nothing, and its
curve is steeper than the app's ever is; no aim is set for it. 0 images are all of split `train`. Ends with 1 if the
median error of another line is above 0.03.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from learning_curve import Data, load
from numpy.typing import NDArray
from pack import read

from mlmodels.core.evaluation import forecast, ranking
from mlmodels.core.evaluation.forecast import Point
from mlmodels.core.learning import ladder
from mlmodels.core.learning.dataset import TrainingSet
from mlmodels.core.learning.ladder import Judged, Rung

MOST_ERROR = 0.03
STEEP = "holdout, no priors"


@dataclass(frozen=True)
class Row:
    """One line of the table: medians over the seeds, and over seeds and tags."""

    half: int
    images: int
    judged_on: str
    risen: float
    median_error: float
    largest_error: float
    unchanged: float
    within: float
    tag_median_error: float
    tag_unchanged: float
    tag_within: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one seed: foretold and true values, the first of all tags together, then of each."""

    before: NDArray[np.float64]
    foretold: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    true: NDArray[np.float64]


def training_set(data: Data, rows: NDArray[np.intp]) -> TrainingSet:
    return TrainingSet(
        inputs=data.inputs.rows(rows),
        truth=data.truth[rows],
        weights=np.ones(len(rows), dtype=np.float32),
        tag_ids=tuple(range(data.truth.shape[1])),
        image_ids=tuple(int(row) for row in rows),
    )


def split(data: Data, rows: NDArray[np.intp], judged_on: str, seed: int) -> tuple[TrainingSet, Judged]:
    """What is learnt from, and what judges."""
    judges = data.val
    if judged_on == "set aside":
        judges = np.array(ladder.set_aside(rows.tolist(), seed=seed))
    weights = np.ones(len(judges), dtype=np.float32)
    learnt = training_set(data, rows[~np.isin(rows, judges)])
    return learnt, Judged(data.inputs.rows(judges), data.truth[judges], weights)


def foretell(data: Data, images: int, judged_on: str, seed: int) -> Outcome:
    """Climb the ladder of the first half, forecast, and then learn the other half too."""
    drawn = np.random.default_rng([seed, images, 17]).permutation(data.train)
    reviewed, then_reviewed, rest = np.split(drawn, [images // 2, images])
    training, judged = split(data, reviewed, judged_on, seed)
    later = training_set(data, np.concatenate([np.array(training.image_ids), then_reviewed]))
    waiting, left = (data.inputs.rows(rows) for rows in (np.concatenate([then_reviewed, rest]), rest))
    tags = ranking.evaluated_tags(judged.truth)
    climbed = [
        (rung.images, with_macro(ladder.climb(training, judged, rung, seed=seed, unreviewed=waiting)[tags]))
        for rung in ladder.rungs(len(training.image_ids))
    ]
    now, then = len(training.image_ids), len(later.image_ids)
    true = with_macro(ladder.climb(later, judged, Rung(then, 0), seed=seed, unreviewed=left)[tags])
    before = climbed[-1][1]
    shared = forecast.fit_curve([Point(size, float(values[0])) for size, values in climbed]).exponent
    foretold = [
        forecast.forecast(
            [Point(size, float(values[k])) for size, values in climbed],
            now=now,
            then=[then],
            seed=seed,
            exponent=shared if k else None,
        )[0]
        for k in range(len(true))
    ]
    return Outcome(
        before=before,
        foretold=np.array([one.value for one in foretold]),
        lower=np.array([one.lower for one in foretold]),
        upper=np.array([one.upper for one in foretold]),
        true=true,
    )


def with_macro(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(np.nanmean(values), values)


def measure(data: Data, images: int, judged_on: str, seeds: int) -> Row:
    outcomes = [foretell(data, images, judged_on, seed) for seed in range(seeds)]
    errors = [np.abs(one.foretold - one.true) for one in outcomes]
    unchanged = [np.abs(one.before - one.true) for one in outcomes]
    within = [(one.lower <= one.true) & (one.true <= one.upper) for one in outcomes]
    return Row(
        half=images // 2,
        images=images,
        judged_on=judged_on,
        risen=float(np.median([one.true[0] - one.before[0] for one in outcomes])),
        median_error=float(np.median([one[0] for one in errors])),
        largest_error=float(max(one[0] for one in errors)),
        unchanged=float(np.median([one[0] for one in unchanged])),
        within=float(np.mean([one[0] for one in within])),
        tag_median_error=float(np.median(np.concatenate([one[1:] for one in errors]))),
        tag_unchanged=float(np.median(np.concatenate([one[1:] for one in unchanged]))),
        tag_within=float(np.mean(np.concatenate([one[1:] for one in within]))),
    )


def without_priors(data: Data) -> Data:
    """Pixels and words alone, so that a head starts from nothing: a steeper curve than the app's own."""
    inputs = replace(
        data.inputs,
        class_prior=0 * data.inputs.class_prior,
        caption_prior=0 * data.inputs.caption_prior,
    )
    return replace(data, inputs=inputs)


def rows_of(data: Data, counts: list[int], seeds: int, *, steep: bool) -> Iterator[Row]:
    for images in (count or len(data.train) for count in counts):
        for judged_on in ("holdout", "set aside"):
            yield measure(data, images, judged_on, seeds)
        if steep:
            yield replace(measure(without_priors(data), images, "holdout", seeds), judged_on=STEEP)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[250, 500, 1000, 0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steep", action="store_true", help="also without priors")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = load(read(options.pack), options.cache)
    names = [field.name.replace("_", " ") for field in fields(Row)]
    print("| " + " | ".join(names) + " |")
    print("| --- " * len(names) + "|")
    rows = []
    for row in rows_of(data, options.images, options.seeds, steep=options.steep):
        rows.append(row)
        cells = (f"{value:.3f}" if isinstance(value, float) else value for value in asdict(row).values())
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    sys.exit(any(row.median_error > MOST_ERROR for row in rows if row.judged_on != STEEP))


if __name__ == "__main__":
    main()
