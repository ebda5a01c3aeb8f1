"""How long learning takes: fits, scikit-learn on the same data, scoring and storing again; in one table.

    python benchmarks/training.py [PACK] [--large] [--images 100000] [--cache FOLDER] [--json FILE]

Each part is a process of its own. CPU seconds count that process, its workers and its PostgreSQL server, and
mislead least on a busy machine. `again` is the same work in the same process: nothing is remembered between two
fits, so that it shows what a first one pays for warming up. Scoring has a database of its own in a temporary folder.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FITS, LARGE = ((1_000, 70), (10_000, 100)), (100_000, 1_000)
UNREVIEWED, UNSEEN = 1_500, 1_000
RIVAL, RIVAL_TAGS = (10_000, 100), 10
"""What scikit-learn is tried on: every tenth tag, for all would take minutes; it fits each by itself anyway."""


@dataclass(frozen=True)
class Row:
    work: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    note: str = ""


def timed(
    work: str, run: Callable[[], Any], *, server: Any = None, note: Callable[[Any], str] | None = None
) -> Row:
    def cpu() -> float:
        others = psutil.Process().children(recursive=True)
        used = time.process_time() + sum(sum(other.cpu_times()[:2]) for other in others)
        if server is None:
            return used
        # With its ended children: a thread's connection is closed when its work is done.
        return used + sum(sum(one.cpu_times()[:2]) for one in server.children()) + sum(server.cpu_times()[:4])

    before, started = cpu(), time.perf_counter()
    found = run()
    wall, used = time.perf_counter() - started, cpu() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(work, wall, used, peak, note(found) if note else "")


def fits(images: int, tags: int) -> list[Row]:
    import planted

    from mlmodels.core.evaluation.ranking import macro_average_precision
    from mlmodels.core.learning.fitting import fit

    inputs, truth = planted.arrays(images + UNREVIEWED + UNSEEN, tags)
    training = training_set(inputs, truth, np.arange(images))
    unreviewed = inputs.rows(np.arange(images, images + UNREVIEWED))
    unseen = np.arange(images + UNREVIEWED, len(inputs))
    judged = inputs.rows(unseen)
    results = []

    def run() -> Any:
        results.append(fit(training, seed=0, unreviewed=unreviewed))
        return results[-1]

    def quality(result: Any) -> str:
        return f"AP {macro_average_precision(truth[unseen], result.head.score(judged).probability):.4f}"

    rows = [timed(f"fit {images:,} x {tags:,}", run, note=quality)]
    if (images, tags) != LARGE:
        rows.append(timed(f"fit {images:,} x {tags:,}, again", run, note=lambda result: same(results)))
    return rows


def same(results: list[Any]) -> str:
    bits = [[array.tobytes() for array in result.head.to_tensors().values()] for result in results]
    return "the same bits" if all(other == bits[0] for other in bits) else "OTHER BITS"


def training_set(inputs: Any, truth: Any, rows: Any) -> Any:
    from mlmodels.core.learning.dataset import TrainingSet

    return TrainingSet(
        inputs=inputs.rows(rows),
        truth=truth[rows],
        weights=np.ones(len(rows), dtype=np.float32),
        tag_ids=tuple(range(truth.shape[1])),
        image_ids=tuple(int(row) for row in rows),
    )


def one_regression(columns: Any, truth: Any, unseen_columns: Any) -> Any:
    """What scikit-learn's one-vs-rest does, by the app's own solver: one ridge, no folds, no prior; scores [M, K]."""
    from mlmodels.core.learning import basis, parallel
    from mlmodels.core.learning.reference import blocks
    from mlmodels.core.learning.solver import Problem, solve

    yes = truth.astype(np.float32)
    share = yes.mean(axis=0).clip(1e-4, 1 - 1e-4)
    offsets = np.broadcast_to(np.log(share / (1 - share)), yes.shape).astype(np.float32)

    def fit_block(block: slice) -> Any:
        known = np.ones_like(yes[:, block])
        return solve(Problem(rotated, yes[:, block], known, offsets[:, block], ridge=1.0))

    with parallel.one_thread_a_product():
        turn = basis.directions(columns, seed=0)
        rotated = columns @ turn
        fitted = np.concatenate(parallel.each(fit_block, blocks(yes.shape[1])), axis=1)
    return unseen_columns @ turn @ fitted + offsets[0]


def rival(pack: Path | None, cache: Path) -> list[Row]:
    """A whole fit, one regression of it, and scikit-learn on the same columns, judged on the same unseen images."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    from mlmodels.core.evaluation.ranking import macro_average_precision
    from mlmodels.core.learning.encoding import fit_encoding
    from mlmodels.core.learning.fitting import fit

    if pack:
        import learning_curve
        from pack import read

        data = learning_curve.load(read(pack), cache)
        inputs, truth, train, unseen = data.inputs, data.truth, data.train, data.val
    else:
        import planted

        inputs, truth = planted.arrays(RIVAL[0] + UNSEEN, RIVAL[1])
        train, unseen = np.arange(RIVAL[0]), np.arange(RIVAL[0], len(inputs))
    training, judged = training_set(inputs, truth, train), inputs.rows(unseen)
    tried = np.arange(truth.shape[1]) if pack else np.arange(0, RIVAL[1], RIVAL[1] // RIVAL_TAGS)
    scale = truth.shape[1] / len(tried)
    encoded = fit_encoding(training.inputs)
    columns, unseen_columns = encoded.columns(training.inputs), encoded.columns(judged)
    classifier = OneVsRestClassifier(LogisticRegression(max_iter=1000), n_jobs=2)

    def precision(probability: Any) -> str:
        average = macro_average_precision(truth[np.ix_(unseen, tried)], probability)
        return f"AP {average:.4f}" if scale == 1 else f"AP {average:.4f} of {len(tried)} tags"

    size = f"{len(train):,} x {truth.shape[1]}, {'PACK' if pack else 'planted'}"
    head = timed(
        f"fit {size}",
        lambda: fit(training, seed=0),
        note=lambda result: precision(result.head.score(judged).probability[:, tried]),
    )
    alone = timed(
        f"one regression {size}",
        lambda: one_regression(columns, training.truth, unseen_columns),
        note=lambda scores: precision(scores[:, tried]),
    )
    other = timed(
        f"scikit-learn {size}",
        lambda: classifier.fit(columns, training.truth[:, tried]),
        note=lambda fitted: precision(fitted.predict_proba(unseen_columns)),
    )
    other = replace(other, wall_s=scale * other.wall_s, cpu_s=scale * other.cpu_s)
    ratios = "; ".join(
        f"{other.wall_s / row.wall_s:.1f} times the {name}'s wall, {other.cpu_s / row.cpu_s:.1f} times its CPU"
        for name, row in (("fit", head), ("regression", alone))
    )
    measured = "" if scale == 1 else f"; {scale:.0f} times what {len(tried)} tags took"
    return [head, alone, replace(other, note=f"{other.note}; {ratios}{measured}")]


def scoring(images: int) -> list[Row]:
    """Score and store everything, first with captions that nobody has read, then again; then the next of the queue."""
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        os.environ |= {"TAGGER_DATA": str(Path(folder) / "data"), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
        os.chdir(ROOT)
        from tagger import stack

        stack.ensure_servers()
        return _scoring(images)


def _scoring(images: int) -> list[Row]:
    import django

    django.setup()
    import planted
    from django.core.management import call_command
    from django.db import connection

    from annotations.selectors import model_inputs
    from mlmodels.core.learning.fitting import fit
    from mlmodels.models import Extractor, ModelVersion
    from mlmodels.services import heads, inputs, languages, scoring

    call_command("migrate", verbosity=0)
    project = planted.project(images)
    language, extractor = languages.of_project(project.pk), Extractor.objects.get()
    ids = list(model_inputs.image_rows(project.pk).order_by("pk").values_list("pk", flat=True))
    batch = inputs.build(model_inputs.images(project.pk, ids[:600]), extractor, language)
    truth = (batch.inputs.caption_prior > 0.5).astype(np.int8)
    training = replace(training_set(batch.inputs, truth, np.arange(600)), tag_ids=language.tag_ids)
    head = fit(training, seed=0).head
    version = ModelVersion(project=project, number=1, extractor=extractor, trained_images=600)
    scorer = heads.Scorer(
        version=version, head=head, extractor=extractor, thresholds=head.thresholds.astype(float)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_backend_pid()")
        server = psutil.Process(cursor.fetchone()[0]).parent()

    def everything() -> int:
        return scoring.refresh(project.pk, ids, scorer=scorer)

    def following() -> int:
        next_ids = model_inputs.next_of_queue(project.pk, scoring.NEXT_OF_QUEUE)
        return scoring.refresh(project.pk, next_ids, scorer=scorer)

    size = f"{images:,} x {len(language.tag_ids)}"
    return [
        timed(f"read captions, score and store {size}", everything, server=server),
        timed(f"score and store {size} again", everything, server=server),
        timed("the next of the queue", following, server=server, note=lambda count: f"{count:,} images"),
    ]


def in_a_process(part: str, options: argparse.Namespace) -> list[Row]:
    """The rows of one part, from a new process: its peak of memory is its own."""
    command = [sys.executable, __file__, *([str(options.pack)] if options.pack else []), "--part", part]
    command += ["--images", str(options.images), "--cache", str(options.cache)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def rows_of(part: str, options: argparse.Namespace) -> list[Row]:
    name, *sizes = part.split(":")
    if name == "fit":
        return fits(int(sizes[0]), int(sizes[1]))
    if name == "rival":
        return rival(options.pack if sizes == ["pack"] else None, options.cache)
    return scoring(options.images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pack", type=Path, nargs="?")
    parser.add_argument("--large", action="store_true", help="fit 100,000 x 1,000 too")
    parser.add_argument("--images", type=int, default=100_000, help="to score and store")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tagger-learning-curve")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps([asdict(row) for row in rows_of(options.part, options)]))
        return
    sizes = [*FITS, *([LARGE] if options.large else [])]
    parts = [f"fit:{images}:{tags}" for images, tags in sizes]
    parts += ["rival:planted", *(["rival:pack"] if options.pack else []), "scoring"]
    print("| work | wall s | CPU s | peak MB | |\n| --- | --- | --- | --- | --- |")
    rows = []
    for part in parts:
        for row in in_a_process(part, options):
            rows.append(row)
            print(
                f"| {row.work} | {row.wall_s:.2f} | {row.cpu_s:.2f} | {row.peak_mb:,.0f} | {row.note} |",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
