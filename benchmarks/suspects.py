"""How many of the answers that the app suspects were planted: wrong yes among wrong, removed yes among missing.

    python benchmarks/suspects.py PACK [--images 500 1000 0] [--seeds 3] [--cache FOLDER] [--json FILE]

Of the yes of N reviewed images 5 % are removed, and as many are added to random pairs that have none; then everything
is fitted as in the app, and its out-of-fold scores rank what to look at again. 0 images are all of split `train`.
Chance is what a random list of the same kind would hold. Planted answers alone count as found: mistakes that were in
the data before, and pairs on which people differ (`uncertain.csv` of the PACK, where there is one), count against it;
the last column leaves the latter out. Ends with 1 if all images miss an aim.
"""

import argparse
import csv
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from learning_curve import Data, load
from numpy.typing import NDArray
from pack import Pack, read

from mlmodels.core.evaluation import suspects
from mlmodels.core.evaluation.suspects import Ranked
from mlmodels.core.learning.dataset import TrainingSet
from mlmodels.core.learning.fitting import fit

SHARE = 0.05
LOOKED_AT = 100
AIMS = {"wrong": 0.60, "missing": 0.45}

Pairs = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """One line of the table: of one kind and number of images, means over the seeds."""

    images: int
    kind: str
    planted: int
    listed: int
    precision: float
    lowest: float
    chance: float
    recall_of_listed: float
    precision_where_clear: float


@dataclass(frozen=True)
class Planted:
    """Answers [N, K] with mistakes: `added` are yes that are wrong, `removed` are yes that are missing."""

    truth: NDArray[np.int8]
    added: Pairs
    removed: Pairs


def plant(truth: NDArray[np.int8], rng: np.random.Generator) -> Planted:
    """Turn 5 % of the yes, and as many random no, round."""
    yes, no = np.argwhere(truth == 1), np.argwhere(truth == 0)
    count = round(SHARE * len(yes))
    added, removed = np.zeros(truth.shape, dtype=bool), np.zeros(truth.shape, dtype=bool)
    removed[tuple(rng.permutation(yes)[:count].T)] = True
    added[tuple(no[rng.choice(len(no), count, replace=False)].T)] = True
    return Planted(np.where(added, 1, np.where(removed, 0, truth)).astype(np.int8), added, removed)


def find(data: Data, rows: NDArray[np.intp], seed: int, planted: Planted) -> suspects.Suspects:
    """Fit as the app does, the captions of the other images included, and rank."""
    rest = np.setdiff1d(data.train, rows)
    training = TrainingSet(
        inputs=data.inputs.rows(rows),
        truth=planted.truth,
        weights=np.ones(len(rows), dtype=np.float32),
        tag_ids=tuple(range(planted.truth.shape[1])),
        image_ids=tuple(int(row) for row in rows),
    )
    fitted = fit(training, seed=seed, unreviewed=data.inputs.rows(rest) if len(rest) else None)
    return suspects.find(planted.truth, fitted.out_of_fold)


def measure(kind: str, found: Ranked, planted: Pairs, among: Pairs, unclear: Pairs) -> Row:
    """Of the first 100: how many were planted."""
    hits = planted[found.rows, found.columns]
    clear = hits | ~unclear[found.rows, found.columns]
    precision = float(hits[:LOOKED_AT].mean())
    return Row(
        images=len(planted),
        kind=kind,
        planted=int(planted.sum()),
        listed=len(found),
        precision=precision,
        lowest=precision,
        chance=float(planted.sum() / among.sum()),
        recall_of_listed=float(hits.sum() / planted.sum()),
        precision_where_clear=float(hits[clear][:LOOKED_AT].mean()),
    )


def unclear_pairs(folder: Path, pack: Pack) -> Pairs:
    """Pairs [N, K] on which the people behind the PACK differ; none where it does not say."""
    unclear = np.zeros((len(pack.photos), len(pack.tags)), dtype=bool)
    path = folder / "uncertain.csv"
    if path.exists():
        row = {photo.name: n for n, photo in enumerate(pack.photos)}
        column = {tag: k for k, tag in enumerate(pack.tags)}
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                for tag in filter(None, line["uncertain_tags"].split("|")):
                    if line["filename"] in row and tag in column:
                        unclear[row[line["filename"]], column[tag]] = True
    return unclear


def of_seed(data: Data, images: int, seed: int, unclear: Pairs) -> list[Row]:
    rng = np.random.default_rng([seed, images, 16])
    rows = np.sort(rng.permutation(data.train)[:images])
    planted = plant(data.truth[rows], rng)
    found = find(data, rows, seed, planted)
    yes = planted.truth == 1
    return [
        measure("wrong", found.wrong, planted.added, yes, unclear[rows]),
        measure("missing", found.missing, planted.removed, ~yes, unclear[rows]),
    ]


def mean(rows: list[Row]) -> Row:
    """The rows of several seeds as one, with the lowest precision of them."""
    names = [field.name for field in fields(Row) if field.name not in ("images", "kind", "lowest")]
    means = {name: float(np.mean([getattr(row, name) for row in rows])) for name in names}
    counts = {name: round(means.pop(name)) for name in ("planted", "listed")}
    return Row(rows[0].images, rows[0].kind, lowest=min(row.precision for row in rows), **counts, **means)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[500, 1000, 0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pack = read(options.pack)
    data, unclear = load(pack, options.cache), unclear_pairs(options.pack, pack)
    print("| " + " | ".join(field.name.replace("_", " ") for field in fields(Row)) + " |")
    print("| --- " * len(fields(Row)) + "|")
    rows = []
    for images in (count or len(data.train) for count in options.images):
        of_seeds = [of_seed(data, images, seed, unclear) for seed in range(options.seeds)]
        for of_kind in zip(*of_seeds, strict=True):
            row = mean(list(of_kind))
            rows.append(row)
            cells = (f"{value:.3f}" if isinstance(value, float) else value for value in asdict(row).values())
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    sys.exit(any(row.precision < AIMS[row.kind] for row in rows if row.images == len(data.train)))


if __name__ == "__main__":
    main()
