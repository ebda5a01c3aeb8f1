"""The main job through the public API, by an annotator who knows the truth of a PACK.

    python benchmarks/main_job.py PACK [--seeds 3] [--images 2084] [--json FILE]

Starts a Tagger of its own, imports photographs of split `train`, reviews them as the queue hands them
out, and after 0, 50, 100, 250 and 500 reviews that may be trained on asks `predict` for the photographs
of split `val`, which are never imported. At the end the export must equal what was sent, to the last tag.
"""

import argparse
import json
import random
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from pack import Pack, Photo, read
from sklearn.metrics import average_precision_score, f1_score
from stack import running_stack

CHECKPOINTS = "0,50,100,250,500"
UPLOAD_BATCH = 200
WAIT_S = 300


@dataclass
class Point:
    """What was measured at one number of trainable reviews in one run."""

    reviews: int
    average_precision: float  # over tags with at least 5 yes in `val`
    average_precision_any_yes: float  # over tags with at least one
    micro_f1: float
    corrections: float
    seconds_to_live: float | None
    live_number: int
    verdict: str
    reasons: list[str]


@dataclass
class Run:
    seed: int
    images_a_second: float = 0.0
    seconds_to_suggestions: float = 0.0
    points: list[Point] = field(default_factory=list)
    holdout_reviews: int = 0
    export_equal: bool = False


class Api:
    """The public API of one project, with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.root = f"{url}/api/v1/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8))
        self.project = 0

    def call(self, method: str, address: str, **content: Any) -> Any:
        where = (
            address if address.startswith("http") else self.root + address.replace("{p}", str(self.project))
        )
        while True:
            answer = self.session.request(method, where, timeout=120, **content)
            if answer.status_code != 429:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status_code >= 400:
            raise SystemExit(f"{method} {address}: {answer.status_code} {answer.text[:500]}")
        return (
            answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else answer
        )

    def job(self, address: str, **content: Any) -> dict[str, Any]:
        """Start a job and wait for its end."""
        job = self.call("POST", address, **content)
        return self.wait(lambda: self.call("GET", f"{address}{job['id']}/"), _has_ended)

    def wait(self, ask: Any, is_done: Any) -> Any:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            answer = ask()
            if is_done(answer):
                return answer
            time.sleep(0.1)
        raise SystemExit(f"Waited {WAIT_S} s in vain; the last answer was {answer}")


def _has_ended(job: dict[str, Any]) -> bool:
    return job["state"] not in ("queued", "running")


def run_once(api: Api, pack: Pack, seed: int, image_count: int, checkpoints: list[int]) -> Run:
    run = Run(seed=seed)
    photos = random.Random(seed).sample(pack.of("train"), min(image_count, len(pack.of("train"))))
    api.project = api.call("POST", "projects/", json={"name": f"Main job, seed {seed}"})["id"]
    tag_ids = {
        tag["name"]: tag["id"]
        for tag in api.call("POST", "projects/{p}/tags/", json=[{"name": name} for name in pack.tags])
    }
    import_photos(api, photos, run)
    by_id = images_by_id(api, photos)
    annotator = Annotator(api, by_id)
    for wanted in checkpoints:
        annotator.review_until(wanted)
        seconds, stats = wait_for_model(api, annotator)
        run.points.append(judge(api, pack, tag_ids, wanted, seconds, stats))
        print_point(seed, run.points[-1])
    run.holdout_reviews = annotator.holdout_reviews
    run.export_equal = export_equals(api, annotator)
    return run


def import_photos(api: Api, photos: list[Photo], run: Run) -> None:
    """Upload with captions; then wait until every image has suggestions."""
    started = time.monotonic()
    for start in range(0, len(photos), UPLOAD_BATCH):
        batch = photos[start : start + UPLOAD_BATCH]
        files = [("files", (photo.name, photo.path.read_bytes(), "image/jpeg")) for photo in batch]
        captions = {photo.name: photo.caption for photo in batch}
        job = api.job("projects/{p}/imports/", files=files, data={"captions": json.dumps(captions)})
        if job["state"] != "done" or job["result"]["added"] != len(batch):
            raise SystemExit(f"The import did not take every image: {job}")
    run.images_a_second = len(photos) / (time.monotonic() - started)
    newest = api.call("GET", "projects/{p}/images/?limit=1&is_holdout=false&ordering=newest")["results"][0][
        "id"
    ]
    api.wait(lambda: api.call("GET", f"projects/{{p}}/images/{newest}/"), _was_looked_at)
    run.seconds_to_suggestions = time.monotonic() - started


def _was_looked_at(image: dict[str, Any]) -> bool:
    """Do its suggestions come from the pixels, and not only from the caption?"""
    return any(source["kind"] == "vision" for row in image["suggestions"] for source in row["sources"])


def images_by_id(api: Api, photos: list[Photo]) -> dict[int, tuple[Photo, bool]]:
    """The photograph and the side (is it holdout?) of each image id."""
    by_name = {photo.name: photo for photo in photos}
    found: dict[int, tuple[Photo, bool]] = {}
    address: str | None = "projects/{p}/images/?limit=1000"
    while address:
        page = api.call("GET", address)
        for row in page["results"]:
            found[row["id"]] = (by_name[row["name"]], row["is_holdout"])
        address = page["next"]
    return found


class Annotator:
    """Takes what the queue hands out and answers with the truth."""

    def __init__(self, api: Api, images: dict[int, tuple[Photo, bool]]) -> None:
        self.api, self.images = api, images
        self.items: list[dict[str, Any]] = []
        self.trainable_reviews = self.holdout_reviews = 0
        self.sent: dict[int, frozenset[str]] = {}
        self.last_sent_at = time.monotonic()

    def review_until(self, trainable: int) -> None:
        while self.trainable_reviews < trainable:
            self._review(self._next())

    def _next(self) -> dict[str, Any]:
        if not self.items:
            answer = self.api.call("POST", "projects/{p}/queue/next/", json={"count": 5, "have": []})
            self.items = answer["items"]
            if not self.items:
                raise SystemExit("The queue ran dry before the last checkpoint: import more images.")
        return self.items.pop(0)

    def _review(self, item: dict[str, Any]) -> None:
        photo, is_holdout = self.images[item["image"]["id"]]
        self.api.call(
            "POST",
            "projects/{p}/reviews/",
            json={
                "client_id": str(uuid.uuid4()),
                "image": item["image"]["id"],
                "lease": item["lease"]["token"],
                "revision": item["image"]["revision"],
                "tags": sorted(photo.tags),
                "outcome": "reviewed",
                "seconds": 1.0,
                "keystrokes": 1,
            },
        )
        self.last_sent_at = time.monotonic()
        self.sent[item["image"]["id"]] = photo.tags
        if is_holdout:
            self.holdout_reviews += 1
        else:
            self.trainable_reviews += 1


def wait_for_model(api: Api, annotator: Annotator) -> tuple[float | None, dict[str, Any]]:
    """Seconds from the last review until a model that has read it is judged; None before the first review."""
    if not annotator.sent:
        return None, api.call("GET", "projects/{p}/stats/")
    stats = api.wait(
        lambda: api.call("GET", "projects/{p}/stats/"), lambda stats: stats["unlearned_decisions"] == 0
    )
    return time.monotonic() - annotator.last_sent_at, stats


def judge(
    api: Api, pack: Pack, tag_ids: dict[str, int], reviews: int, seconds: float | None, stats: dict[str, Any]
) -> Point:
    """Ask for every tag of every photograph of `val` and compare with the truth."""
    photos = pack.of("val")
    column = {tag_ids[name]: place for place, name in enumerate(pack.tags)}
    truth = np.array([[name in photo.tags for name in pack.tags] for photo in photos])
    scores, offered = np.zeros(truth.shape), np.zeros(truth.shape, dtype=bool)
    with ThreadPoolExecutor(4) as pool:
        for row, answer in enumerate(pool.map(lambda photo: predict(api, photo), photos)):
            for suggestion in answer["suggestions"]:
                place = column[suggestion["tag"]["id"]]
                scores[row, place] = suggestion["score"]
                offered[row, place] = suggestion["offered"]
    return Point(
        reviews=reviews,
        average_precision=macro_average_precision(truth, scores, least_yes=5),
        average_precision_any_yes=macro_average_precision(truth, scores, least_yes=1),
        micro_f1=float(f1_score(truth, offered, average="micro", zero_division=0)),
        corrections=float((truth ^ offered).sum(axis=1).mean()),
        seconds_to_live=seconds,
        live_number=stats["live_model"]["number"],
        verdict=(stats["last_candidate"] or {}).get("verdict", "prior"),
        reasons=(stats["last_candidate"] or {}).get("reasons", []),
    )


def macro_average_precision(truth: np.ndarray, scores: np.ndarray, *, least_yes: int) -> float:
    """truth, scores: [N, K]; the mean over tags that have at least `least_yes` yes."""
    tags = truth.sum(axis=0) >= least_yes
    return float(average_precision_score(truth[:, tags], scores[:, tags], average="macro"))


def predict(api: Api, photo: Photo) -> dict[str, Any]:
    return api.call(
        "POST",
        "projects/{p}/predict/",
        files={"image": (photo.name, photo.path.read_bytes(), "image/jpeg")},
        data={"caption": photo.caption, "limit": "0"},
    )


def export_equals(api: Api, annotator: Annotator) -> bool:
    """Does the JSONL export hold exactly what was sent?"""
    job = api.job("projects/{p}/exports/", json={"format": "jsonl"})
    text = api.call("GET", f"projects/{{p}}/exports/{job['id']}/download/").content.decode()
    rows = [json.loads(line) for line in text.splitlines()]
    exported = {row["id"]: frozenset(row["yes"]) for row in rows if row["state"] == "reviewed"}
    unasked = [row for row in rows if row["id"] not in annotator.sent]
    return exported == annotator.sent and not any(row["yes"] or row["no"] for row in unasked)


def print_point(seed: int, point: Point) -> None:
    seconds = "" if point.seconds_to_live is None else f"{point.seconds_to_live:5.1f} s"
    print(
        f"  seed {seed}: {point.reviews:4} reviews  AP {point.average_precision:.3f}  "
        f"F1 {point.micro_f1:.3f}  corrections {point.corrections:.2f}  v{point.live_number} {point.verdict} {seconds}",
        flush=True,
    )


def print_table(runs: list[Run], start_seconds: float) -> None:
    print(f"\nStart to healthy: {start_seconds:.1f} s.   Seeds: {len(runs)}.")
    print(
        f"Import: {statistics.mean(run.images_a_second for run in runs):.0f} images/s; every image has "
        f"suggestions after {statistics.mean(run.seconds_to_suggestions for run in runs):.0f} s.\n"
    )
    print("AP: macro over tags with at least 5 yes in `val`; in brackets over tags with at least one.\n")
    print("| reviews | AP | micro F1 | corrections | seconds to a judged model (largest) | promoted |")
    print("| --- | --- | --- | --- | --- | --- |")
    for points in zip(*(run.points for run in runs), strict=True):
        print(table_row(points))
    print(f"\nExport equals what was sent: {'yes' if all(run.export_equal for run in runs) else 'NO'}.")


def table_row(points: tuple[Point, ...]) -> str:
    """The mean over the seeds at one checkpoint."""

    def mean(name: str) -> float:
        return statistics.mean(getattr(point, name) for point in points)

    seconds = [point.seconds_to_live for point in points if point.seconds_to_live is not None]
    promoted = sum(point.verdict in ("promoted", "provisional") for point in points)
    return (
        f"| {points[0].reviews} | {mean('average_precision'):.3f} ({mean('average_precision_any_yes'):.3f}) "
        f"| {mean('micro_f1'):.3f} | {mean('corrections'):.2f} "
        f"| {f'{statistics.mean(seconds):.1f} ({max(seconds):.1f})' if seconds else '-'} "
        f"| {f'{promoted} of {len(points)}' if seconds else '-'} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=2084)
    parser.add_argument("--reviews", default=CHECKPOINTS, help="checkpoints (default %(default)s)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pack = read(options.pack)
    with running_stack() as stack:
        api = Api(stack.url, stack.token())
        checkpoints = [int(number) for number in options.reviews.split(",")]
        runs = [
            run_once(api, pack, seed, options.images, checkpoints) for seed in range(1, options.seeds + 1)
        ]
        print_table(runs, stack.start_seconds)
        if options.json:
            rows = {"start_seconds": stack.start_seconds, "runs": [asdict(run) for run in runs]}
            options.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
