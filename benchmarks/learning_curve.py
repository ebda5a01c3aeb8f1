"""What answers are worth: scores on split `val` after so many reviewed images of split `train`, in one table.

    python benchmarks/learning_curve.py PACK [--seeds 3] [--text-encoder FOLDER] [--cache FOLDER] [--json FILE]

Caption alone, pixels alone, both. A project has captions of images that nobody reviewed yet, and they teach the
pixels: `both` has them too, `both, reviewed only` goes without. At 0 labels no fit has run. A second table holds
`both` against the reference methods. Features are computed once and kept in the cache folder, a temporary one by
default.
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
from numpy.typing import NDArray
from pack import Pack, read
from PIL import Image
from reference_curve import POINTS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlmodels.core.evaluation import metrics, ranking
from mlmodels.core.language import word_vectors
from mlmodels.core.language.encoder import load_encoder
from mlmodels.core.language.imagenet import map_imagenet
from mlmodels.core.language.nearness import caption_vectors, tag_vectors
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.learning.dataset import CaptionText, HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.fusion import prior_scores
from mlmodels.core.types import CaptionReading, TagTerm
from mlmodels.core.vision.backbones import DEFAULT_BACKBONE
from mlmodels.core.vision.extractor import load_extractor

LABELS = (0, 25, 50, 100, 250, 500, 1000)
BOTH, REVIEWED_ONLY = "both", "both, reviewed only"
METHODS = ("caption", "pixels", REVIEWED_ONLY, BOTH)
BATCH = 32


@dataclass(frozen=True)
class Row:
    """One line of the table: means over the seeds.

    Average precision is over tags with any yes in `val`, as in the reference, and over those with five or more, as
    the gate and the pages have it.
    """

    labels: int
    method: str
    average_precision: float
    average_precision_of_five: float
    micro_f1: float
    macro_f1: float
    precision_at_3: float
    recall_at_5: float
    corrections: float
    keystrokes: float
    calibration_error: float
    fit_seconds: float


@dataclass(frozen=True)
class Data:
    inputs: HeadInputs
    truth: NDArray[np.int8]
    train: NDArray[np.intp]
    val: NDArray[np.intp]


def features_of(pack: Pack, cache: Path, backbone: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features [N, D] and class probabilities [N, 1000] of all photographs, from the cache if it has them."""
    extractor = load_extractor(backbone, allow_hub=False)
    path = cache / f"{extractor.key}-{len(pack.photos)}.npz"
    if not path.exists():
        outputs = []
        for start in range(0, len(pack.photos), BATCH):
            photos = pack.photos[start : start + BATCH]
            outputs.append(extractor.embed([Image.open(photo.path).convert("RGB") for photo in photos]))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            features=np.concatenate([output.features for output in outputs]),
            classes=np.concatenate([output.class_probabilities for output in outputs]),
        )
    with np.load(path) as stored:
        return stored["features"], stored["classes"]


def load(pack: Pack, cache: Path, text_encoder: Path | None = None, backbone: str = DEFAULT_BACKBONE) -> Data:
    """Read captions and pixels of the whole pack with the app's own reader, extractor and text encoder."""
    tags = [TagTerm(number, name) for number, name in enumerate(pack.tags)]
    features, classes = features_of(pack, cache, backbone)
    captions = [photo.caption for photo in pack.photos]
    readings = CaptionReader(tags).read(captions)
    caption_prior, denied = _said(readings, len(tags))
    inputs = HeadInputs(
        vision=features,
        has_vision=np.ones(len(captions), dtype=bool),
        class_prior=(classes @ map_imagenet(tags)).astype(np.float32),
        caption_prior=caption_prior,
        terms=tuple(reading.terms for reading in readings),
        has_caption=np.array([bool(caption.strip()) for caption in captions]),
        text=_meant(captions, tags, denied, text_encoder)
        if text_encoder
        else _meant_by_words(readings, tags, denied),
    )
    truth = np.array([[tag in photo.tags for tag in pack.tags] for photo in pack.photos], dtype=np.int8)
    splits = np.array([photo.split for photo in pack.photos])
    return Data(inputs, truth, np.flatnonzero(splits == "train"), np.flatnonzero(splits == "val"))


def _said(readings: Sequence[CaptionReading], tags: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How strongly captions speak for tags, and whether they deny them, [N, K] each."""
    scores = np.zeros((len(readings), tags), dtype=np.float32)
    denied = np.zeros((len(readings), tags), dtype=bool)
    for row, reading in enumerate(readings):
        for match in reading.matches:
            scores[row, match.tag_id] = match.score
            denied[row, match.tag_id] = match.evidence.negated
    return scores, denied


def _meant(
    captions: Sequence[str], tags: Sequence[TagTerm], denied: NDArray[np.bool_], folder: Path
) -> CaptionText:
    encoder = load_encoder(folder)
    vectors = caption_vectors(captions, encoder.encode)
    return CaptionText(encoder.key, vectors, tag_vectors(tags, encoder.encode).meaning(vectors, denied))


def _meant_by_words(
    readings: Sequence[CaptionReading], tags: Sequence[TagTerm], denied: NDArray[np.bool_]
) -> CaptionText:
    words = word_vectors.load()
    found = word_vectors.tag_words(tags, words).read([reading.terms for reading in readings], denied)
    return CaptionText(words.key, *found)


def only(inputs: HeadInputs, method: str) -> HeadInputs:
    """The inputs without the source that `method` goes without."""
    nobody = np.zeros(len(inputs), dtype=bool)
    if method == "caption":
        return replace(
            inputs, vision=0 * inputs.vision, class_prior=0 * inputs.class_prior, has_vision=nobody
        )
    if method == "pixels":
        silent = ((),) * len(inputs)
        return replace(
            inputs, caption_prior=0 * inputs.caption_prior, terms=silent, has_caption=nobody, text=None
        )
    return inputs


def measure(data: Data, labels: int, method: str, seed: int) -> Row:
    """Fit on `labels` images drawn by the seed, and judge on split `val`."""
    inputs, truth = only(data.inputs, method), data.truth[data.val]
    unseen = inputs.rows(data.val)
    started = time.perf_counter()
    if labels:
        drawn = np.random.default_rng(seed).permutation(data.train)
        chosen, rest = drawn[:labels], drawn[labels:]
        training = TrainingSet(
            inputs=inputs.rows(chosen),
            truth=data.truth[chosen],
            weights=np.ones(labels, dtype=np.float32),
            tag_ids=tuple(range(truth.shape[1])),
            image_ids=tuple(int(row) for row in chosen),
        )
        unreviewed = inputs.rows(rest) if method == BOTH and len(rest) else None
        head = fit(training, seed=seed, unreviewed=unreviewed).head
        seconds = time.perf_counter() - started
        probability, thresholds = head.score(unseen).probability, head.thresholds
    else:
        probability, thresholds, seconds = prior_scores(unseen).probability, np.full(truth.shape[1], 0.5), 0.0
    report = metrics.report(truth, probability, thresholds)
    return Row(
        labels=labels,
        method=method,
        average_precision=ranking.macro_average_precision(truth, probability, minimum_yes=1),
        average_precision_of_five=report.macro_average_precision,
        micro_f1=report.micro_f1,
        macro_f1=report.macro_f1,
        precision_at_3=report.precision_at_3,
        recall_at_5=report.recall_at_5,
        corrections=report.corrections,
        keystrokes=report.keystrokes,
        calibration_error=report.calibration_error,
        fit_seconds=seconds,
    )


def mean(rows: Sequence[Row]) -> Row:
    """The rows of several seeds as one."""
    figures = [name for name in asdict(rows[0]) if name not in ("labels", "method")]
    return replace(
        rows[0], **{name: float(np.mean([getattr(row, name) for row in rows])) for name in figures}
    )


def compare(rows: Sequence[Row]) -> None:
    """Print `both` against the reference methods and what is to be reached."""
    print("\n| labels | AP | best reference | to reach | corrections | best reference | to reach | reached |")
    print("| --- " * 8 + "|")
    for row in rows:
        if row.method != BOTH or row.labels not in POINTS:
            continue
        point = POINTS[row.labels]
        precise = row.average_precision >= point.average_precision
        quick = row.corrections <= point.corrections
        reached = {(True, True): "both", (True, False): "AP", (False, True): "corrections"}.get(
            (precise, quick), "neither"
        )
        print(
            f"| {row.labels} | {row.average_precision:.3f} | {point.best_average_precision:.3f} | "
            f"{point.average_precision:.3f} | {row.corrections:.2f} | {point.best_corrections:.2f} | "
            f"{point.corrections:.2f} | {reached} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--text-encoder", type=Path, help="folder of a sentence encoder, none by default")
    parser.add_argument("--backbone", default=DEFAULT_BACKBONE, help="a timm name whose weights are at hand")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = load(read(options.pack), options.cache, options.text_encoder, options.backbone)
    print(
        "| labels | method | AP (>=1) | AP (>=5) | micro F1 | macro F1 | P@3 | R@5 | corr. | keys | ECE | fit s |"
    )
    print("| --- " * 12 + "|")
    rows = []
    for labels in (*[count for count in LABELS if count < len(data.train)], len(data.train)):
        seeds = options.seeds if 0 < labels < len(data.train) else 1
        for method in METHODS:
            if method == REVIEWED_ONLY and labels in (0, len(data.train)):
                continue  # nothing is fitted yet, or nothing is left unreviewed
            row = mean([measure(data, labels, method, seed) for seed in range(seeds)])
            rows.append(row)
            figures = list(asdict(row).values())[2:]
            print(
                f"| {labels} | {method} |", " | ".join(f"{figure:.3f}" for figure in figures), "|", flush=True
            )
    compare(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
