"""Whether an import gets dearer as a project grows: the same 1,000 pictures into 0, 100,000 and 500,000 rows.

    python benchmarks/imports_at_scale.py [--sizes 0 100000 500000] [--pictures 1000] [--rounds 3] [--json FILE]

Plants image rows with captions, queue entries and the items of earlier imports straight into the database, without
files; draws pictures, imports them as files of the server, then sends a table that gives the same images new captions.
Prints one table: processor seconds an import, of this process and of its database session, which a busy machine leaves
as they are (the best of the rounds), and the ratios to the smallest project. The first import warms everything and is
not counted.
"""

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from annotations.models import ImportJob, Project, User

MOST_RATIO = 1.2


@dataclass(frozen=True)
class Row:
    """Processor seconds an import, `*_db_s` the database's; `*_ratio` of both against the smallest project."""

    images: int
    pictures_s: float
    pictures_db_s: float
    pictures_ratio: float
    pictures_db_ratio: float
    table_s: float
    table_db_s: float
    table_ratio: float
    rows_a_second: int


@dataclass(frozen=True)
class Spent:
    """Processor seconds of this process and of the database."""

    here: float
    database: float

    @property
    def both(self) -> float:
        return self.here + self.database


class Clock:
    """Reads what this process and its database session have spent."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._database = psutil.Process(cursor.fetchone()[0])

    def of(self, act: Callable[[], object]) -> Spent:
        here, database = time.process_time(), sum(self._database.cpu_times()[:2])
        act()
        return Spent(time.process_time() - here, sum(self._database.cpu_times()[:2]) - database)


_GROW = """
    INSERT INTO annotations_image (
        project_id, sha256, phash, name, path, source, format, storage_key, size_bytes, shows_as_is, width_px,
        height_px, caption, metadata, is_holdout, holdout_probability, state, priority, revision, reviews_done,
        shuffle, created_at)
    SELECT %(project)s, encode(sha256(n::text::bytea), 'hex'), hashint8(n), 'planted-' || n || '.jpg', '',
           'upload', 'JPEG', 'originals/' || n, 1, true, 640, 480,
           'A ' || md5(n::text) || ' beside a ' || md5((n / 7)::text), '{}', %(share)s > 0 AND n %% 50 = 0, 0.15,
           'pending', 0, 1, 0, (hashint8(n)::bigint + 2147483648) / 4294967296.0, now()
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_QUEUE = """
    INSERT INTO annotations_queueentry (image_id, project_id, is_holdout, priority, rank, shuffle, reason,
                                        for_reviewers)
    SELECT id, project_id, is_holdout, 0, shuffle, shuffle, 'random', false FROM annotations_image
    ON CONFLICT DO NOTHING
"""
_ITEMS = """
    INSERT INTO annotations_importitem (job_id, name, staged_key, file_caption, tags, no, disputed, not_asked,
                                        suggestions, metadata, complete, state, error_code, error_message, image_id)
    SELECT %s, name, 'gone', '', '[]', '[]', '[]', '[]', '{}', '{}', false, 'added', '', '', id FROM annotations_image
    WHERE name LIKE 'planted-%%' AND id > %s
"""


def grow(project: "Project", earlier: "ImportJob", *, have: int, want: int, share: float) -> None:
    """Rows as imports leave them, so many more that there are `want`."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM annotations_image")
        (newest,) = cursor.fetchone()
        cursor.execute(_GROW, {"project": project.pk, "first": have, "last": want - 1, "share": share})
        cursor.execute(_QUEUE)
        cursor.execute(_ITEMS, [earlier.pk, newest])
        cursor.execute("VACUUM ANALYZE")


def draw(folder: Path, count: int, seed: int) -> Path:
    """Pictures of noise that nobody has sent before, small: decoding is not what is measured."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        pixels = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).resize((320, 240)).save(folder / f"{seed}-{number:05}.jpg", quality=80)
    return folder


def bring_pictures(project: "Project", actor: "User", folder: Path) -> None:
    """From the folder's name to the last image."""
    from annotations.importers import server_folders
    from annotations.services import storage

    _run(project, actor, "folder", server_folders.read(str(folder), storage.new_staging_area()))


def bring_table(project: "Project", actor: "User", folder: Path) -> None:
    """Give the pictures of this folder new captions by name."""
    from annotations.importers.base import Batch

    names = [file.name for file in sorted(folder.iterdir())]
    text = "name,caption\n" + "".join(f"{name},New {name}\n" for name in names)
    _run(project, actor, "table", Batch((), tables=(_opened(text),)))


def start_rate(project: "Project", actor: "User", rows: int, clock: Clock) -> float:
    """Rows a processor second from a table to waiting items: images named by sha256, with caption and tags."""
    from annotations.importers.base import Batch
    from annotations.services import imports

    digests = list(project.images.order_by("-pk").values_list("sha256", flat=True)[:rows])
    text = "sha256,caption,tags\n" + "".join(f"{one},A dog on a beach,dog|beach\n" for one in digests)
    batch = Batch((), tables=(_opened(text),))
    jobs: list[ImportJob] = []
    spent = clock.of(lambda: jobs.append(imports.start(project, actor=actor, source="table", batch=batch)))
    jobs[0].delete()
    return len(digests) / spent.both


def _opened(text: str) -> Any:
    from annotations.importers.tables import opening, pictures

    return pictures.opened(opening.table(lambda: io.BytesIO(text.encode()), "table.csv"))


def _run(project: "Project", actor: "User", source: str, batch: object) -> None:
    from annotations.models import ImportJob
    from annotations.services import imports, jobs

    started = imports.start(project, actor=actor, source=source, batch=batch)  # type: ignore[arg-type]
    job = jobs.claim(ImportJob, started.pk)
    assert job is not None
    imports.run(job)


def measure(folder: Path, sizes: list[int], pictures: int, rounds: int, share: float) -> list[Row]:
    from django.conf import settings

    from annotations.models import ImportJob, User
    from annotations.services import projects

    settings.IMPORT_ROOTS = [str(folder)]
    admin = User.objects.create_user("admin", is_staff=True)
    project = projects.create(admin, name="Benchmark")
    earlier = ImportJob.objects.create(project=project, source="upload")
    bring_pictures(project, admin, draw(folder / "warm", pictures // 2, 0))
    clock = Clock()
    rows: list[Row] = []
    seed = have = 0
    for size in sizes:
        grow(project, earlier, have=have, want=size, share=share)
        have = size
        spent: list[tuple[Spent, Spent]] = []
        for _ in range(rounds):
            seed += 1
            drawn = draw(folder / f"{seed}", pictures, seed)
            by_picture = clock.of(lambda drawn=drawn: bring_pictures(project, admin, drawn))
            by_table = clock.of(lambda drawn=drawn: bring_table(project, admin, drawn))
            spent.append((by_picture, by_table))
        rate = start_rate(project, admin, 20_000, clock)
        rows.append(_row(size, spent, rate, rows[0] if rows else None))
    return rows


def _row(size: int, spent: list[tuple[Spent, Spent]], rate: float, first: Row | None) -> Row:
    by_picture, by_table = (min(column, key=lambda one: one.both) for column in zip(*spent, strict=True))
    base = (first.pictures_s, first.pictures_db_s, first.table_s) if first else None
    figures = (by_picture.both, by_picture.database, by_table.both)
    ratios = [one / before for one, before in zip(figures, base, strict=True)] if base else [1.0] * 3
    return Row(
        images=size,
        pictures_s=round(by_picture.both, 2),
        pictures_db_s=round(by_picture.database, 2),
        pictures_ratio=round(ratios[0], 2),
        pictures_db_ratio=round(ratios[1], 2),
        table_s=round(by_table.both, 2),
        table_db_s=round(by_table.database, 2),
        table_ratio=round(ratios[2], 2),
        rows_a_second=round(rate),
    )


def table(rows: list[Row], pictures: int) -> str:
    lines = [
        f"{pictures:,} pictures an import, processor seconds; a ratio of {MOST_RATIO} at most",
        f"{'rows before':>12}{'pictures':>10}{'of it db':>10}{'ratio':>8}{'db':>8}"
        f"{'table':>10}{'of it db':>10}{'ratio':>8}{'rows/s':>10}",
    ]
    lines += [
        f"{row.images:>12,}{row.pictures_s:>10.2f}{row.pictures_db_s:>10.2f}{row.pictures_ratio:>8.2f}"
        f"{row.pictures_db_ratio:>8.2f}{row.table_s:>10.2f}{row.table_db_s:>10.2f}{row.table_ratio:>8.2f}"
        f"{row.rows_a_second:>10,}"
        for row in rows
    ]
    return "\n".join(lines)


def run(folder: Path, sizes: list[int], pictures: int, rounds: int, share: float) -> list[Row]:
    """Plant and measure, in servers of their own."""
    import django

    os.chdir(ROOT)
    from tagger import stack

    stack.ensure_servers()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return measure(folder, sizes, pictures, rounds, share)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 100_000, 500_000])
    parser.add_argument("--pictures", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--holdout-share", type=float, default=0.02, help="0: none of the planted rows is a holdout image"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        os.environ |= {"TAGGER_DATA": str(Path(folder) / "data"), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
        pictures = Path(folder) / "pictures"
        rows = run(pictures, sorted(args.sizes), args.pictures, args.rounds, args.holdout_share)
    print(table(rows, args.pictures))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
