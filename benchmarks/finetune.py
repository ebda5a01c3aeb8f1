"""Fine-tuning against the frozen head: the same reviewed images, the same gate's figure, side by side, in one table.

    python benchmarks/finetune.py PACK [--seeds 3] [--labels 500 0] [--device cpu] [--kill 10] [--json FILE]

For each number of reviewed images (0: all of split `train`) and seed: the head over the features of the default
backbone, and the head over features of the same backbone after its last stages were tuned on those images; both read
captions too, and are judged on split `val` by the gate, as a run is. Average precision is macro over tags with five or
more yes, the interval of the difference a paired bootstrap over the images, and `goes live` is the one that would
serve. `--pixels` leaves captions out, so that only features differ.
`--kill N` ends a tuning in a process of its own N times, by SIGKILL at moments drawn by chance, and compares the curve.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pack import Pack, read
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlmodels.core.evaluation import gate
from mlmodels.core.language.imagenet import map_imagenet
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.tuning import Progress, Tuned, TuningSet, TuningSettings
from mlmodels.core.types import TagTerm
from mlmodels.core.vision import tuned
from mlmodels.core.vision.backbones import DEFAULT_BACKBONE, load_backbone
from mlmodels.core.vision.extractor import Extractor
from mlmodels.core.vision.transforms import transform_for

import learning_curve  # isort: skip
import killing  # isort: skip

BATCH = 32
Judged = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Probabilities [N, K] and thresholds [K]."""


@dataclass(frozen=True)
class Row:
    """One seed: average precision of the frozen and the tuned features, which serves, and what the tuning took."""

    labels: int
    seed: int
    frozen: float
    tuned: float
    difference_from: float
    difference_to: float
    live: str
    best_epoch: int
    epochs: int
    seconds: float


def pictures_of(pack: Pack, rows: Sequence[int], side_px: int) -> torch.Tensor:
    """These photographs as uint8 [n, 3, side, side]."""
    made = torch.empty(len(rows), 3, side_px, side_px, dtype=torch.uint8)
    for place, row in enumerate(rows):
        with Image.open(pack.photos[row].path) as file:
            file.draft("RGB", (side_px, side_px))
            small = file.convert("RGB").resize((side_px, side_px), Image.Resampling.BICUBIC)
        made[place] = torch.from_numpy(np.array(small)).permute(2, 0, 1)
    return made


def chosen_rows(data: learning_curve.Data, labels: int, seed: int) -> NDArray[np.intp]:
    """The reviewed images: the same draw as in the learning curve."""
    drawn = np.random.default_rng(seed).permutation(data.train)
    return drawn[:labels] if labels else drawn


def tuned_features(
    extractor: Extractor, pack: Pack, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features and class probabilities of these photographs."""
    outputs = []
    for start in range(0, len(rows), BATCH):
        part = [pack.photos[row] for row in rows[start : start + BATCH]]
        outputs.append(extractor.embed([Image.open(photo.path).convert("RGB") for photo in part]))
    return (
        np.concatenate([output.features for output in outputs]),
        np.concatenate([output.class_probabilities for output in outputs]),
    )


def fitted(
    inputs: HeadInputs, truth: NDArray[np.int8], chosen: NDArray[np.intp], val: NDArray[np.intp], seed: int
) -> Judged:
    """A head of the chosen rows: its probabilities [N, K] on `val`, and its thresholds [K]."""
    training = TrainingSet(
        inputs=inputs.rows(chosen),
        truth=truth[chosen],
        weights=np.ones(len(chosen), dtype=np.float32),
        tag_ids=tuple(range(truth.shape[1])),
        image_ids=tuple(int(row) for row in chosen),
    )
    head = fit(training, seed=seed).head
    return head.score(inputs.rows(val)).probability, head.thresholds


def with_features(
    inputs: HeadInputs, rows: NDArray[np.intp], features: NDArray[np.float32], prior: NDArray[np.float32]
) -> HeadInputs:
    """The inputs with other features at these rows."""
    vision, classes = inputs.vision.copy(), inputs.class_prior.copy()
    vision[rows], classes[rows] = features, prior
    return replace(inputs, vision=vision, class_prior=classes)


def gated(truth: NDArray[np.int8], frozen: Judged, after: Judged, seed: int) -> gate.Verdict:
    """What the gate of a run says: the frozen head serves, and has learnt the same answers."""
    return gate.judge(
        truth=truth,
        candidate=after[0],
        candidate_thresholds=after[1],
        incumbents=[frozen],
        holdout=True,
        seed=seed,
        frozen=frozen,
    )


class Told:
    """One line an epoch."""

    def __init__(self) -> None:
        self._epochs = 0

    def __call__(self, progress: Progress) -> None:
        for point in progress.curve[self._epochs :]:
            loss = f", loss {point.loss:.4f}" if point.epoch else " (frozen)"
            print(f"  epoch {point.epoch}: AP {point.average_precision:.4f}{loss}", flush=True)
        self._epochs = len(progress.curve)


def tune_on(
    pack: Pack, data: learning_curve.Data, chosen: NDArray[np.intp], settings: TuningSettings, device: str
) -> tuple[Tuned, float]:
    """Tune the default backbone on these rows; also answers the seconds that it took."""
    started = time.perf_counter()
    backbone = load_backbone(allow_hub=False)
    side_px = transform_for(backbone.spec).side_px
    training = TuningSet(
        lambda rows: pictures_of(pack, [chosen[row] for row in rows], side_px),
        data.truth[chosen],
        [int(row) for row in chosen],
    )
    with tempfile.TemporaryDirectory() as name:
        result = tune(
            backbone,
            training,
            settings,
            folder=Path(name),
            side_px=side_px,
            device=device,
            on_progress=Told(),
        )
    return result, time.perf_counter() - started


def measure(
    pack: Pack,
    data: learning_curve.Data,
    labels: int,
    settings: TuningSettings,
    options: argparse.Namespace,
) -> Row:
    """One number of reviewed images and one seed."""
    chosen = chosen_rows(data, labels, settings.seed)
    result, seconds = tune_on(pack, data, chosen, settings, options.device)
    rows = np.concatenate([chosen, data.val])
    with tempfile.TemporaryDirectory() as name:
        tuned.save(Path(name), DEFAULT_BACKBONE, result.state, {})
        extractor = tuned.load(Path(name), engine=options.engine)
        features, classes = tuned_features(extractor, pack, rows)
    tags = [TagTerm(number, tag) for number, tag in enumerate(pack.tags)]
    prior = (classes @ map_imagenet(tags)).astype(np.float32)
    inputs = learning_curve.only(data.inputs, "pixels") if options.pixels else data.inputs
    before = fitted(inputs, data.truth, chosen, data.val, settings.seed)
    after = fitted(with_features(inputs, rows, features, prior), data.truth, chosen, data.val, settings.seed)
    verdict = gated(data.truth[data.val], before, after, settings.seed)
    gain, low, high = (
        verdict.details[f"frozen_average_precision_{part}"] for part in ("point", "lower", "upper")
    )
    reached = verdict.details["macro_average_precision"]
    return Row(
        labels=len(chosen),
        seed=settings.seed,
        frozen=reached - gain,
        tuned=reached,
        difference_from=low,
        difference_to=high,
        live="frozen" if verdict.outcome == "refused" or not result.best else "tuned",
        best_epoch=result.best,
        epochs=len(result.curve) - 1,
        seconds=seconds,
    )


def print_rows(rows: Sequence[Row]) -> None:
    """The table of docs/fine-tuning.md."""
    print(
        "\n| reviewed | seed | frozen AP | tuned AP | difference | 95 % interval | goes live | best epoch | of | "
        "wall s |"
    )
    print("| --- " * 10 + "|")
    for row in rows:
        print(
            f"| {row.labels} | {row.seed} | {row.frozen:.3f} | {row.tuned:.3f} | {row.tuned - row.frozen:+.3f} | "
            f"{row.difference_from:+.3f} to {row.difference_to:+.3f} | {row.live} | {row.best_epoch} | {row.epochs} | "
            f"{row.seconds:.0f} |"
        )
    for labels in dict.fromkeys(row.labels for row in rows):
        some = [row for row in rows if row.labels == labels]
        gain = float(np.mean([row.tuned - row.frozen for row in some]))
        print(f"mean of {len(some)} seeds at {labels}: {gain:+.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    defaults = TuningSettings()
    parser.add_argument("pack", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, nargs="+", default=[500, 0], help="0 for all")
    parser.add_argument("--stages", type=int, default=1, help="0 tunes the whole backbone")
    parser.add_argument("--patience", type=int, default=defaults.patience)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--rate", type=float, default=defaults.rate)
    parser.add_argument("--views", type=int, default=defaults.views)
    parser.add_argument("--loss", choices=["asymmetric", "binary"], default=defaults.loss)
    parser.add_argument("--mixup", type=float, default=defaults.mixup)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--engine", help="of the features: torch or openvino, measured by default")
    parser.add_argument("--threads", type=int, help="of torch, all cores by default")
    parser.add_argument("--pixels", action="store_true", help="without captions")
    parser.add_argument("--kill", type=int, metavar="N", help="only end a small tuning N times")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.kill:
        killing.compare(options.kill)
        return
    pack = read(options.pack)
    data = learning_curve.load(pack, options.cache)
    rows = []
    for labels in options.labels:
        for seed in range(options.seeds):
            settings = replace(
                defaults,
                stages=options.stages or None,
                epochs=options.epochs,
                patience=options.patience,
                rate=options.rate,
                views=options.views,
                loss=options.loss,
                mixup=options.mixup,
                seed=seed,
            )
            rows.append(measure(pack, data, labels, settings, options))
            print(rows[-1], flush=True)
    print_rows(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
