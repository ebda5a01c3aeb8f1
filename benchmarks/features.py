"""How fast pictures become stored features: the whole pipeline as a worker runs it, against its parts alone.

    python benchmarks/features.py PACK [--images 600] [--backbone NAME] [--weights FOLDER] [--json FILE]

Starts a PostgreSQL of its own, puts the photographs of PACK into a project, and alternates until all are done:
decoding alone (in the worker's threads), the engine alone (on the same pixels), one slice of the pipeline (decode,
engine, COPY). Figures are medians over these rounds, so that whatever else runs on the machine weighs on all alike.
`share` is the pipeline's speed against 1 / (decode + forward). A backbone without weights gets random ones.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pack import Photo, read

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ENGINES = ("openvino", "torch")
# torch takes many times as long on CPUs: a part of the images tells as much.
SLOWER_ENGINE_SHARE = 0.25
ROUND_IMAGES = 48
AGREEING_IMAGES = 24


@dataclass(frozen=True)
class Row:
    """One backbone on one engine. Seconds are an image's; `cosine` is the least with torch's on photographs."""

    backbone: str
    side_px: int
    dimensions: int
    engine: str
    chosen: bool
    images: int
    decode_s: float
    forward_s: float
    pipeline_images_per_s: float
    share: float
    cosine: float


@contextmanager
def database() -> Iterator[None]:
    """A Tagger without web and workers, whose files and PostgreSQL go when the benchmark ends."""
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        os.environ |= {
            "TAGGER_DATA": str(Path(folder) / "data"),
            "DJANGO_SETTINGS_MODULE": "tagger.settings",
            "LOG_LEVEL": "ERROR",
        }
        import django

        from tagger import cluster, stack
        from tagger.layout import Layout

        layout = Layout.from_environment()
        cluster.prepare_folders(layout)
        with stack.servers(layout):
            django.setup()
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            yield
            connections.close_all()


def make_project(photos: list[Photo]) -> int:
    """Rows and files as an import leaves them."""
    from annotations.models import Image, Project, User
    from annotations.services import storage

    owner = User.objects.create(username="benchmark")
    project = Project.objects.create(name="Features", created_by=owner)
    images = []
    for photo in photos:
        data = photo.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        key = storage.original_key(project.pk, digest, "jpg")
        storage.put(key, data)
        images.append(
            Image(
                project=project,
                sha256=digest,
                name=photo.name,
                source="upload",
                format="JPEG",
                storage_key=key,
                phash=int(digest[:15], 16),
                is_holdout=False,
                holdout_probability=0.15,
                size_bytes=len(data),
                width_px=1,
                height_px=1,
                shuffle=0.5,
            )
        )
    Image.objects.bulk_create(images, ignore_conflicts=True)
    return project.pk


def networks(name: str, folder: Path | None) -> Iterator[tuple[Any, bool]]:
    """Extractors on each engine that runs here, and whether it is the one that a worker would choose."""
    from mlmodels.core.errors import EngineError
    from mlmodels.core.vision.engines import choose_engine
    from mlmodels.core.vision.extractor import Extractor
    from mlmodels.core.vision.transforms import transform_for

    backbone = _backbone(name, folder)
    transform = transform_for(backbone.spec)
    chosen = choose_engine(backbone, side_px=transform.side_px).engine.name
    for engine in ENGINES:
        try:
            choice = choose_engine(backbone, preferred=engine, side_px=transform.side_px)
        except EngineError as error:
            print(error, file=sys.stderr)
            continue
        yield Extractor(backbone.spec, transform, choice.engine), choice.engine.name == chosen


def _backbone(name: str, folder: Path | None) -> Any:
    from mlmodels.core.errors import WeightsError
    from mlmodels.core.vision.backbones import load_backbone

    try:
        return load_backbone(name, weights_dir=folder, allow_hub=False)
    except WeightsError as error:
        print(f"{error}\nRandom weights instead: they take as long.", file=sys.stderr)
    import timm
    import torch

    with tempfile.TemporaryDirectory() as made:
        torch.save(timm.create_model(name, pretrained=False).state_dict(), Path(made) / f"{name}.pth")
        return load_backbone(name, weights_dir=Path(made), allow_hub=False)


def measure(project_id: int, network: Any, *, chosen: bool, cosine: float, images: int) -> Row:
    """Rounds of decode, forward, slice until `images` have features."""
    from annotations.selectors import model_inputs
    from mlmodels import selectors
    from mlmodels.models import ImageFeature, ProjectExtractor
    from mlmodels.services import extractors, features

    ImageFeature.objects.all().delete()
    ProjectExtractor.objects.all().delete()
    extractors.load = lambda name: network  # what the worker has loaded
    row = extractors.loaded_row(model_inputs.project(project_id).extractor)
    decode_s, forward_s, slice_s = [], [], []
    done, after_id = 0, 0
    while done < images:
        ids = selectors.without_feature(project_id, row.pk, after_id=after_id, limit=ROUND_IMAGES)
        if not ids:
            break
        inputs = model_inputs.images(project_id, ids)
        started = time.perf_counter()
        with ThreadPoolExecutor(features.DECODING_THREADS) as pool:
            pixels = list(pool.map(lambda image: features.prepare(image, network), inputs))
        decode_s.append((time.perf_counter() - started) / len(ids))
        stacked = np.stack(pixels)
        started = time.perf_counter()
        network.embed_pixels(stacked)
        forward_s.append((time.perf_counter() - started) / len(ids))
        started = time.perf_counter()
        answer = features.compute_slice(project_id, after_id=after_id)
        slice_s.append((time.perf_counter() - started) / len(answer.computed))
        done += len(answer.computed)
        after_id = answer.resume_after or 0
    decode, forward, pipeline = (statistics.median(found) for found in (decode_s, forward_s, slice_s))
    return Row(
        backbone=network.spec.name,
        side_px=network.side_px,
        dimensions=network.dimensions,
        engine=network.engine.name,
        chosen=chosen,
        images=done,
        decode_s=round(decode, 5),
        forward_s=round(forward, 5),
        pipeline_images_per_s=round(1 / pipeline, 2),
        share=round((decode + forward) / pipeline, 3),
        cosine=round(cosine, 6),
    )


def rows_of(name: str, folder: Path | None, project_id: int, photos: list[Photo], images: int) -> list[Row]:
    from annotations.pictures import open_upright
    from mlmodels.core.vision.engines import agreement

    found = list(networks(name, folder))
    some = [open_upright(photo.path) for photo in photos[:AGREEING_IMAGES]]
    seen = {network.engine.name: network.embed(some).features for network, _ in found}
    return [
        measure(
            project_id,
            network,
            chosen=chosen,
            cosine=agreement(seen[network.engine.name], seen["torch"]),
            images=images if chosen else max(ROUND_IMAGES, int(images * SLOWER_ENGINE_SHARE)),
        )
        for network, chosen in found
    ]


def table(rows: list[Row]) -> str:
    head = (
        "| backbone | side px | D | engine | images | decode s/img | forward s/img | pipeline images/s "
        "| share | cosine with torch |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    lines = [
        f"| {row.backbone} | {row.side_px} | {row.dimensions} | {row.engine}{' (chosen)' if row.chosen else ''} "
        f"| {row.images} | {row.decode_s:.4f} | {row.forward_s:.4f} | {row.pipeline_images_per_s:.1f} "
        f"| {row.share:.0%} | {row.cosine:.6f} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument(
        "--backbone", action="append", default=[], help="a further timm name; may be repeated"
    )
    parser.add_argument("--weights", type=Path, help="folder with weight files of further backbones")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    photos = read(options.pack).photos[: options.images]
    with database():
        from mlmodels.core.vision.backbones import DEFAULT_BACKBONE

        project_id = make_project(list(photos))
        rows = [
            row
            for name in [DEFAULT_BACKBONE, *options.backbone]
            for row in rows_of(name, options.weights, project_id, list(photos), len(photos))
        ]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
