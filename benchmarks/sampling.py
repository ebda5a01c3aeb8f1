"""Whether it pays to choose what to ask, and whether estimates stay right when images are not drawn alike.

    python benchmarks/sampling.py PACK [--seeds 5] [--projects 200] [--curves FILE] [--cache FOLDER] [--json FILE]

First table: average precision on split `val` after so many reviews of split `train`, and the area under that curve
against random, for each strategy (with the least share of chance that a project can set) and for mixtures. All begin
with the same 50 random images, as a project does. Second table: of 200 simulated projects whose queue follows such a
mixture, in how many the 95 % interval of a prevalence or a precision, by inverse draw probability, holds the truth; and
the same where the second half of the images, with twice as many yes, comes when half of the reviews are done.
`--seeds 0` makes the second alone, `--projects 0` the first. Curves that FILE holds are not made again.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from learning_curve import Data, load
from numpy.typing import NDArray
from pack import read

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from annotations import draw_shares
from mlmodels.core.evaluation import metrics, ranking
from mlmodels.core.evaluation.intervals import Interval
from mlmodels.core.learning.dataset import TrainingSet
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.fusion import Scores
from mlmodels.core.learning.heads import Head
from mlmodels.core.sampling import estimates, mixture
from mlmodels.core.sampling.candidates import Candidates
from mlmodels.core.sampling.estimates import Draws
from mlmodels.core.sampling.mixture import Shares

POINTS = (50, 100, 200, 350, 500)
ARMS = {
    "random": Shares(),
    "uncertain": Shares(uncertain=0.9),
    "diverse": Shares(diverse=0.9),
    "rare": Shares(rare=0.9),
    "disagreement": Shares(disagreement=0.9),
    "mixture of all": Shares(uncertain=0.2, diverse=0.2, rare=0.2, disagreement=0.2),
}
T_QUANTILES = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""97.5 % quantiles of Student's t by number of seeds."""

MOST_UNREVIEWED = 1_500
CLIPPED = (0.1, 10.0)


@dataclass(frozen=True)
class Curve:
    """One arm and seed: figures at each of POINTS."""

    arm: str
    seed: int
    average_precision: tuple[float, ...]
    keystrokes: tuple[float, ...]

    @property
    def area(self) -> float:
        """Mean height of the curve of average precision between the first point and the last."""
        return float(np.trapezoid(self.average_precision, POINTS) / (POINTS[-1] - POINTS[0]))

    @property
    def keys_area(self) -> float:
        return float(np.trapezoid(self.keystrokes, POINTS) / (POINTS[-1] - POINTS[0]))


def trained(
    data: Data, chosen: NDArray[np.intp], rest: NDArray[np.intp], weights: NDArray[np.float32], seed: int
) -> Head:
    training = TrainingSet(
        inputs=data.inputs.rows(chosen),
        truth=data.truth[chosen],
        weights=weights,
        tag_ids=tuple(range(data.truth.shape[1])),
        image_ids=tuple(int(row) for row in chosen),
    )
    return fit(training, seed=seed, unreviewed=data.inputs.rows(rest[:MOST_UNREVIEWED])).head


def candidates_of(
    data: Data,
    head: Head,
    scores: Scores,
    rest: NDArray[np.intp],
    chosen: NDArray[np.intp],
    tags: Sequence[str],
) -> Candidates:
    return Candidates(
        image_ids=rest.astype(np.int64),
        tags=tuple(tags),
        probability=scores.probability,
        vision=scores.vision,
        caption=scores.caption,
        thresholds=head.thresholds,
        features=data.inputs.vision[rest],
        has_vision=data.inputs.has_vision[rest],
        has_caption=data.inputs.has_caption[rest],
        yes=(data.truth[chosen] == 1).sum(axis=0),
        reviewed=data.inputs.vision[chosen],
    )


@dataclass(frozen=True, eq=False)
class Beginning:
    """What every arm of one seed begins with: the order of chance, and the head of its first images."""

    drawn: NDArray[np.intp]
    head: Head
    figures: tuple[float, float]


def beginning(data: Data, seed: int) -> Beginning:
    drawn = np.random.default_rng(seed).permutation(data.train)
    head = trained(data, drawn[: POINTS[0]], drawn[POINTS[0] :], np.ones(POINTS[0], dtype=np.float32), seed)
    return Beginning(drawn, head, judged(data, head))


def curve(data: Data, arm: str, shares: Shares, seed: int, tags: Sequence[str], begun: Beginning) -> Curve:
    """Review, learn, choose anew, up to the last point."""
    chosen, rest = begun.drawn[: POINTS[0]], begun.drawn[POINTS[0] :]
    weights = np.ones(len(chosen), dtype=np.float32)
    head, figures = begun.head, [begun.figures]
    for now, then in zip(POINTS, (*POINTS[1:], None), strict=True):
        if now > POINTS[0]:
            head = trained(data, chosen, rest, weights, seed)
            figures.append(judged(data, head))
        if then is None:
            break
        waiting = candidates_of(data, head, head.score(data.inputs.rows(rest)), rest, chosen, tags)
        order = mixture.order(waiting, shares, waiting=len(rest), salt=f"{seed}:{now}")
        first = np.argsort(order.waits)[: then - now]
        inverse = np.clip(1.0 / order.rates[first], *CLIPPED).astype(np.float32)
        chosen, weights = np.append(chosen, rest[first]), np.append(weights, inverse)
        rest = np.delete(rest, first)
    precision, keys = zip(*figures, strict=True)
    return Curve(arm, seed, precision, keys)


def curves_of(data: Data, seeds: int, tags: Sequence[str], kept: Path | None) -> list[Curve]:
    """Every arm of every seed; each is kept as a line of JSON when it is done, and read from there the next time."""
    found = read_curves(kept)
    have = {(one.arm, one.seed) for one in found}
    for seed in range(seeds):
        missing = [arm for arm in ARMS if (arm, seed) not in have]
        begun = beginning(data, seed) if missing else None
        for arm in missing:
            assert begun is not None
            found.append(curve(data, arm, ARMS[arm], seed, tags, begun))
            if kept:
                with kept.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(found[-1])) + "\n")
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    return [one for one in found if one.seed < seeds]


def read_curves(kept: Path | None) -> list[Curve]:
    if kept is None or not kept.exists():
        return []
    rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return [
        Curve(row["arm"], row["seed"], tuple(row["average_precision"]), tuple(row["keystrokes"]))
        for row in rows
    ]


def judged(data: Data, head: Head) -> tuple[float, float]:
    """Average precision over tags with five yes, and keystrokes an image, on split `val`."""
    truth = data.truth[data.val]
    scores = head.score(data.inputs.rows(data.val)).probability
    report = metrics.report(truth, scores, head.thresholds)
    return ranking.macro_average_precision(truth, scores), report.keystrokes


def against(curves: Sequence[Curve], arm: str, area: str) -> tuple[float, float]:
    """Mean over seeds of an area's difference from random with the same seed, and half its 95 % interval."""
    random = {one.seed: getattr(one, area) for one in curves if one.arm == "random"}
    differences = [getattr(one, area) - random[one.seed] for one in curves if one.arm == arm]
    error = np.std(differences, ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.nan
    return float(np.mean(differences)), float(T_QUANTILES.get(len(differences), 2.26) * error)


def print_curves(curves: Sequence[Curve]) -> list[dict[str, float | str | bool]]:
    points = " | ".join(f"AP {point}" for point in POINTS)
    print(f"| strategy | {points} | area | against random | keystrokes | against random | beats random |")
    print("| --- " * (len(POINTS) + 6) + "|")
    rows: list[dict[str, float | str | bool]] = []
    for arm in ARMS:
        own = [one for one in curves if one.arm == arm]
        heights = np.mean([one.average_precision for one in own], axis=0)
        area, keys = np.mean([one.area for one in own]), np.mean([one.keys_area for one in own])
        (gain, half), (keys_gain, keys_half) = against(curves, arm, "area"), against(curves, arm, "keys_area")
        beats = gain - half > 0
        said = (
            ("", "", "")
            if arm == "random"
            else (
                f"{gain:+.4f} ± {half:.4f}",
                f"{keys_gain:+.3f} ± {keys_half:.3f}",
                "yes" if beats else "no",
            )
        )
        print(
            f"| {arm} | {' | '.join(f'{height:.3f}' for height in heights)} | {area:.4f} | {said[0]} | "
            f"{keys:.3f} | {said[1]} | {said[2]} |"
        )
        rows.append({
            "arm": arm, "area": float(area), "gain": gain, "half": half,
            "keystrokes": float(keys), "keystrokes_gain": keys_gain, "keystrokes_half": keys_half, "beats": beats,
        })  # fmt: skip
    return rows


IMAGES, TAGS, REVIEWS, EVERY = 1_000, 10, 300, 50
GROWN = {False: "all images from the beginning", True: "half of them after half of the reviews"}


@dataclass(frozen=True)
class Coverage:
    """How often intervals hold the truth, with and without inverse probabilities, and their mean half-width."""

    project: str
    quantity: str
    estimates: int
    weighted: float
    half_width: float
    unweighted: float


def simulated(seed: int, shares: Shares, *, grows: bool = False) -> list[tuple[str, bool, bool, float]]:
    """One project: for each quantity whether its interval holds the truth, weighted and plain, and its half-width."""
    rng = np.random.default_rng(seed)
    prevalence = rng.uniform(0.03, 0.3, TAGS)
    late = np.arange(IMAGES) >= (IMAGES // 2 if grows else IMAGES)
    truth = rng.random((IMAGES, TAGS)) < np.where(late[:, None], 2 * prevalence, prevalence)
    signal = 3.0 * truth - 1.5 + np.log(prevalence / (1 - prevalence))
    noise = rng.normal(size=(IMAGES, TAGS)) + rng.normal(size=(IMAGES, 1))
    features = rng.normal(size=(IMAGES, 16)) + np.where(truth @ rng.normal(size=(TAGS, 16)) > 0, 1.0, 0.0)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    caption = _sigmoid(signal + rng.normal(scale=2.0, size=truth.shape))
    vision = _sigmoid(signal + rng.normal(scale=2.0, size=truth.shape))
    waiting, drawn, chances = np.flatnonzero(~late), [], []
    while len(drawn) < REVIEWS:
        if grows and len(drawn) == REVIEWS // 2:
            waiting = np.append(waiting, np.flatnonzero(late))
        # The model gets better, so what it wants changes.
        probability = _sigmoid(signal + noise * (2.0 - len(drawn) / REVIEWS))
        picked = np.array(drawn, dtype=np.intp)
        candidates = Candidates(
            image_ids=waiting.astype(np.int64), tags=tuple(map(str, range(TAGS))),
            probability=probability[waiting], vision=vision[waiting], caption=caption[waiting],
            thresholds=np.full(TAGS, 0.5), features=features[waiting],
            has_vision=np.ones(len(waiting), bool), has_caption=np.ones(len(waiting), bool),
            yes=truth[picked].sum(axis=0), reviewed=features[picked],
        )  # fmt: skip
        order = mixture.order(candidates, shares, waiting=len(waiting), salt=f"{seed}:{len(drawn)}")
        first, probabilities = slots(order, rng)
        chances += probabilities
        drawn += waiting[first].tolist()
        waiting = np.delete(waiting, first)
    offered = _sigmoid(signal + noise) >= 0.5
    came = np.where(late, REVIEWS // 2, 0)[drawn]
    return _held(truth, offered, np.array(drawn), Draws(np.array(chances), came=came))


def slots(order: mixture.Order, rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """The next images as the queue hands them out, slot by slot, with the chance that is stored with each."""
    _, random, blind, active = draw_shares.shares(holdout=True)
    left = np.argsort(order.waits).tolist()
    taken: list[int] = []
    chances = []
    for _ in range(EVERY):
        place = int(rng.integers(len(left))) if rng.random() < random / (random + blind + active) else 0
        chances.append(
            draw_shares.chance(
                order.rates[left[place]], waiting=len(left), random=random, ordered=blind + active
            )
        )
        taken.append(left.pop(place))
    return taken, chances


def _held(
    truth: NDArray[np.bool_],
    offered: NDArray[np.bool_],
    drawn: NDArray[np.intp],
    weighted: Draws,
) -> list[tuple[str, bool, bool, float]]:
    plain = Draws(1.0 / (len(truth) - np.arange(len(drawn))))
    right = truth & offered
    each = [("yes an image", truth.sum(1), np.ones(len(truth))), ("precision", right.sum(1), offered.sum(1))]
    each += [("prevalence of a tag", truth[:, k], np.ones(len(truth))) for k in range(truth.shape[1])]
    each += [("precision of a tag", right[:, k], offered[:, k]) for k in range(truth.shape[1])]
    found = []
    for name, counted, among in each:
        part, whole = counted.astype(float), among.astype(float)
        if not whole[drawn].any():
            continue
        true = part.sum() / whole.sum()
        estimate = estimates.share if name == "yes an image" else estimates.proportion
        ours, naive = (estimate(draws, part[drawn], whole[drawn]) for draws in (weighted, plain))
        found.append((name, _holds(ours, true), _holds(naive, true), ours.half_width))
    return found


def _holds(interval: Interval, true: float) -> bool:
    return bool(interval.lower <= true <= interval.upper)


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits)))


def coverage(seeds: range, shares: Shares, *, grows: bool) -> list[Coverage]:
    found = [one for seed in seeds for one in simulated(seed, shares, grows=grows)]
    rows = []
    for name in dict.fromkeys(one[0] for one in found):
        own = [one for one in found if one[0] == name]
        rows.append(
            Coverage(
                GROWN[grows],
                name,
                len(own),
                float(np.mean([one[1] for one in own])),
                float(np.mean([one[3] for one in own])),
                float(np.mean([one[2] for one in own])),
            )
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--first-project", type=int, default=0, help="seed of the first simulated project")
    parser.add_argument("--curves", type=Path, help="where finished curves are kept", metavar="FILE")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pack = read(options.pack)
    curves: list[Curve] = []
    if options.seeds:
        curves = curves_of(load(pack, options.cache), options.seeds, pack.tags, options.curves)
    rows = print_curves(curves) if curves else []
    print("\n| project | estimate | intervals | hold the truth | half-width | unweighted hold it |")
    print("| --- " * 6 + "|")
    projects = range(options.first_project, options.first_project + options.projects)
    covered = [one for grows in GROWN for one in coverage(projects, ARMS["mixture of all"], grows=grows)]
    for one in covered:
        print(
            f"| {one.project} | {one.quantity} | {one.estimates:,} | {one.weighted:.1%} | {one.half_width:.3f} | "
            f"{one.unweighted:.1%} |"
        )
    if options.json:
        found = {
            "curves": [asdict(one) for one in curves],
            "arms": rows,
            "coverage": list(map(asdict, covered)),
        }
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
