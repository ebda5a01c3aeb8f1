"""How well near-duplicates are found, and how fast: recall by kind of copy, false pairs, seconds by number of images.

    python benchmarks/near_duplicates.py PACK [--copies 400] [--sizes 10000,100000] [--json FILE]

Makes near-copies of photographs, and asks the rules of `annotations/services/near_pairs.py` about each copy and its
original, by hash alone and with features. False pairs are counted among all photographs, each with each; pairs that are
nearest are named, since consecutive shots of one scene are among them. For speed, hashes are planted whose bits hang
together as those of the photographs do.
"""

import argparse
import io
import json
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist

import django
import numpy as np
from numpy.typing import NDArray
from pack import read
from PIL import Image, ImageEnhance, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

QUALITY = 90
NEW_AMONG_ALL = 100


@dataclass(frozen=True)
class Kind:
    """Shares of copies that are tied to their original; distances of features at the median and the 99th percentile."""

    copy: str
    by_hash: float
    with_features: float
    bits_p50: float
    bits_p99: float
    distance_p50: float
    distance_p99: float


@dataclass(frozen=True)
class Speed:
    """Processor seconds to search `images` hashes from nothing, and for NEW_AMONG_ALL new ones; memory at most."""

    images: int
    most_bits: int
    all_s: float
    new_s: float
    memory_mb: float


def jpeg(picture: Image.Image, quality: int = QUALITY) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def without_edge(picture: Image.Image, share: float = 0.05) -> Image.Image:
    """Without this share of each side's length, half of it at either end."""
    width, height = picture.size
    x, y = round(width * share / 2), round(height * share / 2)
    return picture.crop((x, y, width - x, height - y))


def without_corner(picture: Image.Image, share: float = 0.05) -> Image.Image:
    width, height = picture.size
    return picture.crop((round(width * share), round(height * share), width, height))


def framed(picture: Image.Image, colour: str) -> Image.Image:
    return ImageOps.expand(picture, border=max(2, round(max(picture.size) * 0.03)), fill=colour)


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG quality 30": lambda picture: jpeg(picture, 30),
    "half the size": lambda picture: jpeg(picture.resize((picture.width // 2, picture.height // 2))),
    "brightness +10 %": lambda picture: jpeg(ImageEnhance.Brightness(picture).enhance(1.1)),
    "mirrored": lambda picture: jpeg(ImageOps.mirror(picture)),
    "cropped by 5 % all around": lambda picture: jpeg(without_edge(picture)),
    "cropped by 5 % at a corner": lambda picture: jpeg(without_corner(picture)),
    "mirrored and cropped by 5 %": lambda picture: jpeg(without_edge(ImageOps.mirror(picture))),
    "white border of 3 %": lambda picture: jpeg(framed(picture, "white")),
    "black border of 3 %": lambda picture: jpeg(framed(picture, "black")),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pack", type=Path)
    parser.add_argument(
        "--copies", type=int, default=400, help="photographs to copy, for each kind; 0 measures speed alone"
    )
    parser.add_argument("--sizes", default="10000,100000", help="numbers of planted hashes, with commas")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tagger.settings"
    django.setup()
    # Before the network takes its memory: what the search takes is then seen.
    paths = [photo.path for photo in read(asked.pack).photos]
    originals = [path.read_bytes() for path in paths]
    hashes = hashes_of(originals)
    speeds = [speed(hashes, int(size), bits) for size in asked.sizes.split(",") for bits in limits()]
    print_table(speeds)
    if not asked.copies:
        return
    kinds, false = recall(originals, hashes, [path.name for path in paths], asked.copies)
    print_table(kinds)
    print(f"\nfalse pairs among {len(paths):,} photographs: {json.dumps(false, indent=1)}")
    if asked.json:
        said = {"kinds": [asdict(row) for row in kinds], "speeds": [asdict(row) for row in speeds]}
        asked.json.write_text(json.dumps(said | {"false": false}, indent=1))


def limits() -> tuple[int, int]:
    from annotations.services import near_pairs

    return near_pairs.SURE_BITS, near_pairs.LOOSE_BITS


def hashes_of(files: Sequence[bytes]) -> NDArray[np.int64]:
    from annotations import pictures

    return np.array([pictures.inspect(data)[0].phash for data in files], dtype=np.int64)


def recall(
    originals: Sequence[bytes], hashes: NDArray[np.int64], names: Sequence[str], copies: int
) -> tuple[list[Kind], dict[str, object]]:
    from mlmodels.core.vision.extractor import load_extractor

    embed = load_extractor(allow_hub=False).embed
    features = embed([opened(data) for data in originals]).features
    picked = sorted(random.Random(1).sample(range(len(originals)), min(copies, len(originals))))
    rows = []
    for name, make in KINDS.items():
        made = [make(opened(originals[n])) for n in picked]
        bits = differing(hashes_of(made), hashes[picked])
        distances = 1 - (embed([opened(data) for data in made]).features * features[picked]).sum(1)
        rows.append(_kind(name, bits, distances))
    return rows, false_pairs(hashes, features, names)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def differing(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """In how many bits hashes differ, or once one is mirrored if that is less."""
    from annotations.near_hashes import MIRROR

    flipped = one.view(np.uint64) ^ other.view(np.uint64)
    return np.minimum(np.bitwise_count(flipped), np.bitwise_count(flipped ^ MIRROR)).astype(np.int64)


def _kind(name: str, bits: NDArray[np.int64], distances: NDArray[np.float32]) -> Kind:
    def quantile(values: NDArray[np.generic], share: float) -> float:
        return round(float(np.quantile(values, share)), 3)

    return Kind(
        name,
        round(float(near(bits, None).mean()), 3),
        round(float(near(bits, distances).mean()), 3),
        quantile(bits, 0.5),
        quantile(bits, 0.99),
        quantile(distances, 0.5),
        quantile(distances, 0.99),
    )


def near(bits: NDArray[np.int64], distances: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """What the rules say of pairs."""
    from annotations.services.near_pairs import LOOSE_BITS, Pair, is_near

    said = [None] * len(bits) if distances is None else [float(one) for one in distances]
    return np.array(
        [
            b <= LOOSE_BITS and is_near(Pair(0, 1, int(b), False, d))
            for b, d in zip(bits.tolist(), said, strict=True)
        ],
        dtype=bool,
    )


def false_pairs(
    hashes: NDArray[np.int64], features: NDArray[np.float32], names: Sequence[str]
) -> dict[str, object]:
    """Among the photographs themselves: how many pairs there are, how many the rules tie, and which."""
    by_hash, tied, candidates = 0, [], 0
    for n in range(len(hashes) - 1):
        bits = differing(hashes[n + 1 :], hashes[n])
        at = np.flatnonzero(bits <= limits()[1])
        distances = 1 - features[n + 1 + at] @ features[n]
        candidates += len(at)
        by_hash += int(near(bits[at], None).sum())
        told = near(bits[at], distances)
        tied += [
            (names[n], names[n + 1 + m], int(bits[m]), round(float(d), 3))
            for m, d in zip(at[told], distances[told], strict=True)
        ]
    return {
        "pairs": len(hashes) * (len(hashes) - 1) // 2,
        "candidates": candidates,
        "by_hash": by_hash,
        "with_features": len(tied),
        "which": tied,
    }


def speed(hashes: NDArray[np.int64], images: int, most_bits: int) -> Speed:
    from annotations.near_hashes import QUERIES_AT_ONCE, Index

    planted = plant(hashes, images)
    began = time.process_time()
    index = Index(planted, most_bits=most_bits)
    for at in range(0, images, QUERIES_AT_ONCE):
        index.pairs(at, min(at + QUERIES_AT_ONCE, images))
    all_s = time.process_time() - began
    began = time.process_time()
    index = Index(planted, most_bits=most_bits)
    index.pairs(images - NEW_AMONG_ALL, images)
    new_s = time.process_time() - began
    tracemalloc.start()
    Index(planted, most_bits=most_bits).pairs(images - QUERIES_AT_ONCE, images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Speed(images, most_bits, round(all_s, 2), round(new_s, 2), round(peak / 2**20, 1))


def plant(hashes: NDArray[np.int64], images: int) -> NDArray[np.int64]:
    """Hashes whose bits are set as often, and hang together as much, as those of the photographs."""
    bits = (hashes.view(np.uint64)[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).astype(float)
    with np.errstate(invalid="ignore"):  # a bit that is always set goes with no other
        together = np.sin(np.pi / 2 * np.nan_to_num(np.corrcoef(bits.T)))
    values, vectors = np.linalg.eigh((together + together.T) / 2)
    mix = vectors * np.sqrt(np.clip(values, 1e-6, None))
    mix /= np.linalg.norm(mix, axis=1, keepdims=True)
    least = [NormalDist().inv_cdf(float(np.clip(1 - share, 1e-4, 1 - 1e-4))) for share in bits.mean(0)]
    drawn = np.random.default_rng(0).standard_normal((images, 64)) @ mix.T > np.array(least)
    packed = (drawn.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(1, dtype=np.uint64)
    return packed.view(np.int64)


def print_table(rows: Sequence[Kind] | Sequence[Speed]) -> None:
    print(f"\n| {' | '.join(asdict(rows[0]))} |\n| {' | '.join('---' for _ in asdict(rows[0]))} |")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in asdict(row).values())} |", flush=True)


if __name__ == "__main__":
    main()
