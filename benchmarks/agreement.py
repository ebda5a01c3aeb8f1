"""Agreement: how often its intervals hold the truth, and what it costs at 100,000 images beside 1,000.

    python benchmarks/agreement.py [--projects 400] [--sizes 1000 100000] [--tags 500] [--json FILE]

First table: pairs of answers are drawn to tags whose alpha is known, were there all images of the world; 95 % intervals
should hold it about that often. *Plain* is the bootstrap that repeats what it has seen. A tag on which nobody, or
everybody, said yes has no figure and is left out. Below it, alpha over all tags of simulated projects whose images are
each hard or easy for every tag at once; *plain* takes tags to vary each by itself. Second table: projects of images
that two people reviewed, each with four yes and an explicit no, in three vocabulary versions; queries, milliseconds
(the fastest of five) of counting and of everything, and what Python holds at most. `--sizes` without a number makes
the first table alone.
"""

import argparse
import gc
import itertools
import json
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from stack import serve_pages_here

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlmodels.core.evaluation import agreement
from mlmodels.core.evaluation.agreement import Cells
from mlmodels.core.evaluation.intervals import Interval, summarise

if TYPE_CHECKING:
    from annotations.models import Project

PAIR = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
IMAGES = (30, 100, 400, 2_000)
SHARES = {"rare (2 %)": (0.02,), "10 %": (0.1,), "frequent (40 %)": (0.4,)}
ALPHAS = (0.5, 0.75, 0.95)
TAGS_TOGETHER = (0.02, 0.05, 0.1, 0.1, 0.2, 0.4)
GROUPS = 64
ROUNDS = 5

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Coverage:
    """Shares of intervals that hold the truth, and their median half-width."""

    what: str
    images: int
    intervals: int
    held: float
    half_width: float
    plain: float


@dataclass(frozen=True)
class Cost:
    """Of one project; counting is the database's part."""

    images: int
    queries: int
    counting_ms: float
    all_ms: float
    memory_mib: float


def of_tags(images: int, what: str, shares: Sequence[float], projects: int) -> Coverage:
    rng = np.random.default_rng([images, round(1_000 * shares[0])])
    found, plain, truths = list[Interval](), list[Interval](), list[float]()
    for share, truth in itertools.product(shares, ALPHAS):
        differ = 2 * share * (1 - share) * (1 - truth)
        chances = [1 - share - differ / 2, differ, share - differ / 2]
        counts = rng.multinomial(images, chances, size=projects).astype(np.int64)
        counts = counts[np.isfinite(agreement.alpha(counts, PAIR))]
        found += agreement.intervals(counts, PAIR, seed=1)
        plain += [_plain(one, rng) for one in counts]
        truths += [truth] * len(counts)
    return _coverage(what, images, found, plain, truths)


def _plain(counts: Ints, rng: np.random.Generator) -> Interval:
    """The bootstrap of B. Efron: images drawn again from those that are there."""
    total = int(counts.sum())
    drawn = rng.multinomial(total, counts / total, size=agreement.RESAMPLES)
    return summarise(float(agreement.alpha(counts, PAIR)), agreement.alpha(drawn, PAIR))


def over_all(images: int, projects: int) -> Coverage:
    """People differ on hard images ten times as often as on easy ones, whatever the tag: tags hang together."""
    rng = np.random.default_rng([images, 7])
    shares = np.array(TAGS_TOGETHER)
    hard_share, error = 0.2, np.array([0.02, 0.2])
    truth = _truth_over_all(shares, hard_share, error)
    found, plain = list[Interval](), list[Interval]()
    for _ in range(projects):
        is_hard = (rng.random(images) < hard_share).astype(int)
        truly = rng.random((images, len(shares))) < shares
        wrong = error[is_hard][:, None] * np.where(truly, 1.0, shares / (1 - shares))
        yes = sum((truly ^ (rng.random(truly.shape) < wrong)).astype(int) for _ in range(2))
        group = rng.integers(GROUPS, size=images)
        counts = np.zeros((len(shares), GROUPS, 3), dtype=np.int64)
        for tag in range(len(shares)):
            np.add.at(counts[tag], (group, yes[:, tag]), 1)
        found.append(agreement.overall(counts, PAIR, seed=1))
        apart = rng.permuted(np.broadcast_to(group[:, None], yes.shape), axis=0)
        by_itself = np.zeros_like(counts)
        for tag in range(len(shares)):
            np.add.at(by_itself[tag], (apart[:, tag], yes[:, tag]), 1)
        plain.append(agreement.overall(by_itself, PAIR, seed=1))
    return _coverage(f"{len(shares)} tags together", images, found, plain, [truth] * projects)


def _truth_over_all(shares: NDArray[Any], hard_share: float, error: NDArray[Any]) -> float:
    """Alpha if there were all images of the world."""
    observed, expected = 0.0, 0.0
    for share in shares:
        yes, differ = 0.0, 0.0
        for weight, wrong in ((1 - hard_share, error[0]), (hard_share, error[1])):
            seen, made_up = 1 - wrong, wrong * share / (1 - share)
            yes += weight * (share * seen + (1 - share) * made_up)
            differ += weight * 2 * (share * seen * wrong + (1 - share) * made_up * (1 - made_up))
        observed += differ
        expected += 2 * yes * (1 - yes)
    return 1 - observed / expected


def _coverage(
    what: str, images: int, found: list[Interval], plain: list[Interval], truths: list[float]
) -> Coverage:
    def held(intervals: list[Interval]) -> float:
        return float(
            np.mean([one.lower <= truth <= one.upper for one, truth in zip(intervals, truths, strict=True)])
        )

    half_width = float(np.median([one.half_width for one in found]))
    return Coverage(what, images, len(found), held(found), half_width, held(plain))


def plant(images: int, tags: int) -> "Project":
    """Images that two of three people reviewed, in three vocabulary versions: the last tags came late."""
    import planted
    from django.db import connection

    from annotations.models import User
    from annotations.services import counters
    from annotations.services import tags as vocabulary
    from annotations.types import TagSpec

    project = planted.project(images, features=False)
    versions = [project.vocabulary_version]
    missing = tags - project.tags.count()
    for part in (missing // 2, missing - missing // 2):
        first = project.tags.count()
        words = [TagSpec(name=f"thing {first + number}") for number in range(part)]
        vocabulary.create_many(project, words, actor=None)
        project.refresh_from_db()
        versions.append(project.vocabulary_version)
    people = [
        User.objects.get_or_create(username=f"person-{number}")[0].pk for number in range(3)
    ]  # nobody has to be a member to have said something
    values = {
        "project": project.pk,
        "people": people,
        "versions": versions,
        "tags": list(project.tags.order_by("pk").values_list("pk", flat=True)),
    }
    with connection.cursor() as cursor:
        for statement in _REVIEWED.split(";"):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
    counters.add(project.pk, {"decisions": 10 * images})
    return project


# Two people of three; of ten images one in each of the earlier versions. Frequent tags come first, as people use them.
_REVIEWED = """
    INSERT INTO annotations_review (project_id, image_id, user_id, body_sha256, outcome, source, counted, blind,
        stratum, component, model_number, vocabulary_version, created_at)
    SELECT i.project_id, i.id, (%(people)s::bigint[])[1 + (i.id + p) %% 3], '', 'reviewed', 'person', true,
        i.id %% 20 = 0, 'random', 'random', 1,
        (%(versions)s::int[])[CASE i.id %% 10 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 3 END], now()
    FROM annotations_image i, generate_series(0, 1) p WHERE i.project_id = %(project)s ORDER BY i.id;
    INSERT INTO annotations_decision (project_id, image_id, tag_id, user_id, review_id, value, scope, source,
        model_number, created_at)
    SELECT r.project_id, r.image_id, (%(tags)s::bigint[])[1 + place], r.user_id, r.id,
        CASE WHEN min(n) < 4 THEN 'yes' ELSE 'no' END, 'image', 'person', 1, now()
    FROM annotations_review r, generate_series(0, 4) n, LATERAL (
        SELECT CASE WHEN hashint8(r.id * 31 + n) & 7 = 0 THEN 1 ELSE 0 END + floor(cardinality(%(tags)s::bigint[])
            * power((hashint8(r.image_id * 7 + n) & 1023) / 1024.0, 3))::int AS place) its
    WHERE r.project_id = %(project)s AND place < cardinality(%(tags)s::bigint[])
    GROUP BY r.id, place
"""


def cost(project: "Project", images: int) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from annotations.selectors import agreement as judgements
    from mlmodels.services import agreement as service

    def counted() -> Any:
        return judgements.judged(project)

    def everything() -> Any:
        return service.estimate(project.pk)

    with CaptureQueriesContext(connection) as queries:
        everything()
    return Cost(images, len(queries), _fastest_ms(counted), _fastest_ms(everything), _memory_mib(everything))


def _fastest_ms(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(1_000 * (time.perf_counter() - started))
    return min(taken)


def _memory_mib(work: Callable[[], Any]) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def coverage_table(rows: list[Coverage]) -> str:
    lines = ["| alpha of | images | intervals | hold the truth | half-width | plain |", "| --- " * 6 + "|"]
    lines += [
        f"| {row.what} | {row.images:,} | {row.intervals:,} | {row.held:.1%} | {row.half_width:.2f} | {row.plain:.1%} |"
        for row in rows
    ]
    return "\n".join(lines).replace("%", " %").replace("  %", " %")


def cost_table(rows: list[Cost], tags: int) -> str:
    lines = [
        f"{tags} tags\n",
        "| images | queries | counting ms | everything ms | memory MiB |",
        "| --- " * 5 + "|",
    ]
    lines += [
        f"| {row.images:,} | {row.queries} | {row.counting_ms:.0f} | {row.all_ms:.0f} | {row.memory_mib:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--projects", type=int, default=400, help="simulated for each line")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    covered = [
        of_tags(images, what, shares, args.projects) for images in IMAGES for what, shares in SHARES.items()
    ]
    covered += [over_all(images, args.projects) for images in IMAGES]
    print(coverage_table(covered), flush=True)
    costs = []
    if args.sizes:
        with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
            os.environ |= {"TAGGER_DATA": f"{folder}/data", "DJANGO_SETTINGS_MODULE": "tagger.settings"}
            serve_pages_here()
            costs = [cost(plant(images, args.tags), images) for images in args.sizes]
        print("\n" + cost_table(costs, args.tags))
    if args.json:
        figures = {"coverage": [asdict(row) for row in covered], "cost": [asdict(row) for row in costs]}
        args.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
