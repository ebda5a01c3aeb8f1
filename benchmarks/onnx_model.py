"""Whether a version's ONNX file scores as the app does, how large it is and how fast it runs.

    python benchmarks/onnx_model.py PACK [--images 200] [--trained 600] [--threads N] [--json FILE]

A head is fitted on what the default extractor sees of PACK's training photographs, with their captions. Other
photographs are scored twice: by the app's own engine and head, without a caption, and by the file in ONNX Runtime, both
from the same pixels, and by the file as its documentation prepares them, from the photograph itself, and for some of
them from a copy of a camera's size. Speeds are forward passes without decoding, the picture and its mirror image, a
batch of 8 at a time.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pack import Pack, Photo, read
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from annotations.pictures import open_upright
from mlmodels.core.language.imagenet import map_imagenet
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import fit
from mlmodels.core.portable import onnx_file
from mlmodels.core.portable.network import PictureScores
from mlmodels.core.types import TagTerm
from mlmodels.core.vision.backbones import load_backbone
from mlmodels.core.vision.engines import choose_engine
from mlmodels.core.vision.extractor import Extractor
from mlmodels.core.vision.transforms import Transform, transform_for

BATCH = 8

Scores = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Figures:
    """Differences are between probabilities of any tag and photograph."""

    photographs: int
    tags: int
    engine: str
    largest_difference: float
    mean_difference: float
    largest_difference_by_the_docs: float
    offered_otherwise: int
    file_mb: float
    write_s: float
    app_images_per_s: float
    onnxruntime_images_per_s: float


def inputs(
    extractor: Extractor, photos: list[Photo], terms: list[TagTerm], class_map: np.ndarray
) -> HeadInputs:
    """What a head learns from: features and captions."""
    seen = extractor.embed([open_upright(photo.path, at_least_px=extractor.side_px) for photo in photos])
    readings = CaptionReader(terms).read([photo.caption for photo in photos])
    prior = np.zeros((len(photos), len(terms)), dtype=np.float32)
    for row, reading in enumerate(readings):
        for match in reading.matches:
            prior[row, match.tag_id] = match.score
    return HeadInputs(
        vision=seen.features,
        has_vision=np.ones(len(photos), dtype=bool),
        class_prior=seen.class_probabilities @ class_map,
        caption_prior=prior,
        terms=tuple(reading.terms for reading in readings),
        has_caption=np.array([bool(photo.caption.strip()) for photo in photos]),
    )


def by_the_docs(picture_file: bytes, transform: Transform) -> np.ndarray:
    """The lines of docs/model-files.md."""
    side = transform.side_px
    picture = Image.open(io.BytesIO(picture_file))
    short = max(min(picture.size), side)
    picture.draft(None, tuple(-(-length * side // short) for length in picture.size))
    small = ImageOps.exif_transpose(picture).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return ((np.asarray(small) / 255 - transform.mean) / transform.std).transpose(2, 0, 1).astype(np.float32)


def largest_difference(files: list[bytes], transform: Transform, app: Scores, ours: Scores) -> float:
    """Between the app's way with picture files and that of the docs."""
    found = 0.0
    for at in range(0, len(files), BATCH):
        some = files[at : at + BATCH]
        opened = [open_upright(file, at_least_px=transform.side_px) for file in some]
        prepared = np.stack([by_the_docs(file, transform) for file in some])
        found = max(found, float(np.abs(ours(prepared) - app(transform(opened))).max()))
    return found


def of_a_camera(photo: Photo) -> bytes:
    """As a JPEG of 1365 x 1024: decoders that ask for other sides choose another scale for it."""
    stream = io.BytesIO()
    with Image.open(photo.path) as picture:
        picture.convert("RGB").resize((1365, 1024)).save(stream, "JPEG")
    return stream.getvalue()


def measure(pack: Pack, *, images: int, trained: int, threads: int) -> Figures:
    terms = [TagTerm(number, name) for number, name in enumerate(pack.tags)]
    class_map = np.asarray(map_imagenet(terms), dtype=np.float32).reshape(1000, len(terms))
    backbone = load_backbone(allow_hub=False)
    transform = transform_for(backbone.spec)
    choice = choose_engine(backbone, side_px=transform.side_px, threads=threads)
    extractor = Extractor(backbone.spec, transform, choice.engine)
    learnt, judged = list(pack.photos[:trained]), list(pack.photos[trained : trained + images])
    training = TrainingSet(
        inputs=inputs(extractor, learnt, terms, class_map),
        truth=np.array([[name in photo.tags for name in pack.tags] for photo in learnt], dtype=np.int8),
        weights=np.ones(len(learnt), dtype=np.float32),
        tag_ids=tuple(term.id for term in terms),
        image_ids=tuple(range(len(learnt))),
    )
    head = fit(training, seed=0).head
    started = time.perf_counter()
    network = PictureScores(backbone, head, class_map, mirror=transform.mirror)
    file = onnx_file.build(network, side_px=transform.side_px, described={})
    write_s = time.perf_counter() - started

    def app_scores(pixels: np.ndarray) -> np.ndarray:
        return onnx_file.scores_without_caption(head, extractor.embed_pixels(pixels), class_map)

    pixels = np.stack(
        [extractor.prepare(open_upright(photo.path, at_least_px=extractor.side_px)) for photo in judged]
    )
    runner = onnx_file.Runner(file, threads=threads)
    batches = [pixels[at : at + BATCH] for at in range(0, len(pixels), BATCH)]
    app_s, file_s, app, ours = 0.0, 0.0, [], []
    for batch in batches:  # by turns, so that whatever else runs on the machine weighs on both alike
        started = time.perf_counter()
        app.append(app_scores(batch))
        middle = time.perf_counter()
        ours.append(runner.score(batch))
        app_s, file_s = app_s + middle - started, file_s + time.perf_counter() - middle
    expected, found = np.concatenate(app), np.concatenate(ours)
    files = [photo.path.read_bytes() for photo in judged] + [of_a_camera(photo) for photo in judged[:BATCH]]
    return Figures(
        photographs=len(judged),
        tags=len(terms),
        engine=choice.engine.name,
        largest_difference=float(np.abs(found - expected).max()),
        mean_difference=float(np.abs(found - expected).mean()),
        largest_difference_by_the_docs=largest_difference(files, transform, app_scores, runner.score),
        offered_otherwise=int(((found >= head.thresholds) != (expected >= head.thresholds)).sum()),
        file_mb=round(len(file) / 1e6, 1),
        write_s=round(write_s, 1),
        app_images_per_s=round(len(judged) / app_s, 1),
        onnxruntime_images_per_s=round(len(judged) / file_s, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--trained", type=int, default=600)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measure(
        read(options.pack), images=options.images, trained=options.trained, threads=options.threads
    )
    print("| figure | value |\n| --- | --- |")
    for name, value in asdict(figures).items():
        print(f"| {name.replace('_', ' ')} | {f'{value:.2e}' if 'difference' in name else value} |")
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
