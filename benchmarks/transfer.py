"""How fast data come in and go out, and how much memory each process takes.

    python benchmarks/transfer.py [--sizes 1000 10000 100000] [--parts export import upload] [--formats csv]

Plants projects of image rows without files, a third of them reviewed with three answers each, in servers of its own.
Each piece of work runs in a process of its own that has done the same for ten images before, as a worker has.
Its processor time an item (without the database's, and other than the speed much the same on a busy machine) and its
largest memory are printed beside its speed:

- export: rows a second from the claimed job to the checked file, and milliseconds to the first byte of its download;
- snapshot: images a second frozen;
- import: rows a second of a table of JSON Lines, each a caption and the suggestions of another model, or two tags:
  `suggestions` and `tags` are of images that are here, named by sha256, and land; `addresses` names new ones by URL,
  and is over when every row is stored and waits for its picture, which is all that other tools do with such rows;
- upload: pictures of 60 kB that the script draws, from a server folder: images a second, stored with thumbnails.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from annotations.models import Project

FORMATS = ("csv", "csv-long", "jsonl", "coco", "parquet")
IMPORTED = ("addresses", "suggestions", "tags")
SIZES = (1_000, 10_000, 100_000)
UPLOADED = 600
UPLOADED_PX = (800, 600)
TARGETS = {"export": "50,000 rows/s", "import": "10,000 rows/s", "upload": "200 images/s"}


@dataclass(frozen=True)
class Row:
    """One piece of work: processor time an item, `first_byte_ms` of a download, the process's largest memory in MB."""

    part: str
    what: str
    items: int
    seconds: float
    cpu_us: float
    first_byte_ms: float | None
    memory_mb: float

    @property
    def rate(self) -> float:
        return self.items / self.seconds


def plant(images: int) -> "Project":
    """A project as months of work leave it, without a single file."""
    import planted
    from django.db import connection

    from annotations.models import User

    User.objects.filter(username="admin").update(username=f"admin-{time.monotonic_ns()}")
    with connection.cursor() as cursor, planted.indexed_afterwards():
        project = planted.project(images, features=False)
        cursor.execute(_REVIEWS, {"project": project.pk})
        cursor.execute(_DECISIONS, {"project": project.pk})
        cursor.execute(
            "UPDATE annotations_image SET state = 'reviewed', reviews_done = 1 WHERE id IN "
            "(SELECT image_id FROM annotations_review WHERE project_id = %s)",
            [project.pk],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return project


_REVIEWS = """
    INSERT INTO annotations_review (project_id, image_id, user_id, outcome, source, counted, blind, stratum,
        body_sha256, model_number, vocabulary_version, created_at)
    SELECT i.project_id, i.id, m.user_id, 'reviewed', 'person', true, false, 'active', '', 1,
        p.vocabulary_version, now()
    FROM annotations_image i JOIN annotations_project p ON p.id = i.project_id
        JOIN annotations_membership m ON m.project_id = p.id
    WHERE i.project_id = %(project)s AND i.shuffle < 0.33
"""
_DECISIONS = """
    INSERT INTO annotations_decision (project_id, image_id, tag_id, user_id, review_id, value, scope, source,
        model_number, created_at)
    SELECT r.project_id, r.image_id, tags.ids[1 + (r.image_id * step.n) %% array_length(tags.ids, 1)], r.user_id, r.id,
        CASE WHEN step.n = 7 THEN 'no' ELSE 'yes' END, 'image', 'person', 1, r.created_at
    FROM annotations_review r, (VALUES (1), (3), (7)) AS step(n),
        (SELECT array_agg(id ORDER BY id) AS ids FROM annotations_tag WHERE project_id = %(project)s) tags
    WHERE r.project_id = %(project)s
    ON CONFLICT DO NOTHING
"""


def export(project: "Project", format: str) -> dict[str, Any]:
    from annotations.models import ExportJob
    from annotations.services import exports, jobs

    job = exports.start(project, actor=None, format=format)
    claimed = jobs.claim(ExportJob, job.pk)
    assert claimed is not None
    started, cpu_started = time.perf_counter(), time.process_time()
    exports.run(claimed)
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    job.refresh_from_db()
    assert job.state == "done", job.reason
    return {"items": job.result["items"], "seconds": seconds, "cpu_s": cpu_s, "job": job.pk}


def _memory_mb() -> float:
    """The largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def _first_byte_ms(project: "Project", job_id: int) -> float:
    client = _client(project)
    address = f"/api/v1/projects/{project.pk}/exports/{job_id}/download/"
    client.get(address, headers={"Range": "bytes=0-0"})  # the first request of a process loads half of Django
    started = time.perf_counter()
    answer = client.get(address)
    next(iter(answer.streaming_content))
    return 1_000 * (time.perf_counter() - started)


def snapshot(project: "Project", _: str) -> dict[str, Any]:
    from annotations import tasks
    from annotations.services import snapshots

    made = snapshots.start(project, actor=None, name="benchmark")
    started = time.perf_counter()
    tasks.run_snapshot(made.pk)
    seconds = time.perf_counter() - started
    made.refresh_from_db()
    assert made.state == "done", made.reason
    return {"items": made.images, "seconds": seconds}


def import_rows(project: "Project", what: str) -> dict[str, Any]:
    """A caption and `what` for every image, from the staged table to the last row that has landed, or waits."""
    from annotations.importers import sources
    from annotations.importers.uploads import StagedUpload
    from annotations.models import ImportJob
    from annotations.services import import_rows, imports, jobs, storage

    area = storage.new_staging_area()
    table = StagedUpload(f"{area}/rows.jsonl", "rows.jsonl", 0, "", "manifest")
    with storage.writer(table.key) as target:
        target.writelines(_lines(project, what))
    started = time.perf_counter()
    batch = sources.read({}, [table], area=area).batch
    job = imports.start(project, actor=None, source="table", batch=batch, area=area)
    claimed = jobs.claim(ImportJob, job.pk)
    assert claimed is not None
    (import_rows.complete if what == "addresses" else imports.run)(claimed)
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    assert job.result["refused"] == 0 and job.state != "failed", (job.reason, job.errors[:2])
    assert job.total == job.items.count()
    return {"items": job.total, "seconds": seconds}


def _lines(project: "Project", what: str) -> Iterator[bytes]:
    names = list(project.tags.order_by("pk").values_list("name", flat=True))
    shas = project.images.order_by("pk").values_list("sha256", flat=True)
    for number, sha256 in enumerate(shas.iterator(chunk_size=2_000)):
        tags = sorted({names[number % len(names)], names[number * 7 % len(names)]})
        row: dict[str, Any] = {"caption": f"A caption with {what} for image {number}."}
        row |= {"url": f"https://pictures.test/{sha256}.jpg"} if what == "addresses" else {"sha256": sha256}
        if what == "tags":
            row["tags"] = tags
        else:
            row |= {"suggestions": [{"tag": tag, "score": 0.7} for tag in tags], "model_version": "theirs 1"}
        yield json.dumps(row).encode() + b"\n"


def upload(project: "Project", folder: str) -> dict[str, Any]:
    from annotations.importers import server_folders
    from annotations.models import ImportJob
    from annotations.services import imports, jobs, storage

    batch = server_folders.read(folder, storage.new_staging_area())
    job = imports.start(project, actor=None, source="folder", batch=batch)
    claimed = jobs.claim(ImportJob, job.pk)
    assert claimed is not None
    started = time.perf_counter()
    imports.run(claimed)
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    assert job.result["added"] == job.total, job.result
    return {"items": job.total, "seconds": seconds}


def draw(folder: Path, count: int) -> None:
    """JPEGs of about 60 kB each: soft shapes with noise over them."""
    import PIL.Image

    rng = np.random.default_rng(0)
    for number in range(count):
        small = PIL.Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        soft = np.asarray(small.resize(UPLOADED_PX, PIL.Image.Resampling.BICUBIC), dtype=np.int16)
        noisy = np.clip(soft + rng.integers(-9, 9, soft.shape), 0, 255).astype(np.uint8)
        stream = io.BytesIO()
        PIL.Image.fromarray(noisy).save(stream, "JPEG", quality=70)
        (folder / f"{number:05}.jpg").write_bytes(stream.getvalue())


def _client(project: "Project") -> Any:
    from django.test import Client

    client = Client()
    client.force_login(project.memberships.select_related("user").first().user)
    return client


PARTS: dict[str, Callable[["Project", str], dict[str, Any]]] = {
    "export": export,
    "snapshot": snapshot,
    "import": import_rows,
    "upload": upload,
}


def child(part: str, warm_id: int, project_id: int, what: str) -> None:
    """One piece of work in this process, after one of ten images; prints its figures as JSON."""
    _django()
    from annotations.models import Project

    if part != "upload":
        PARTS[part](Project.objects.get(pk=warm_id), what)
    project, cpu_started = Project.objects.get(pk=project_id), time.process_time()
    figures = PARTS[part](project, what)
    figures["cpu_us"] = 1e6 * figures.pop("cpu_s", time.process_time() - cpu_started) / figures["items"]
    # Before the download, whose half of Django is another process's.
    figures["memory_mb"] = _memory_mb()
    job_id = figures.pop("job", None)
    figures["first_byte_ms"] = _first_byte_ms(project, job_id) if job_id else None
    print(json.dumps(figures))


def measure(part: str, warm: "Project", project: "Project", what: str) -> Row:
    command = [sys.executable, __file__, "--child", part, str(warm.pk), str(project.pk), what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3_000:])
    return Row(part=part, what=what, **json.loads(done.stdout.splitlines()[-1]))


def rows(sizes: list[int], parts: list[str], formats: list[str]) -> Iterator[Row]:
    import planted

    warm = plant(10)
    work = {"export": formats, "snapshot": [""], "import": IMPORTED}
    for size in sizes if work.keys() & set(parts) else []:
        project = plant(size)
        for part, kinds in work.items():
            for what in kinds if part in parts else ():
                yield measure(part, warm, project, what)
    if "upload" in parts:
        folder = Path(os.environ["TAGGER_IMPORT_ROOTS"])
        draw(folder, UPLOADED)
        from annotations.models import User

        User.objects.filter(username="admin").update(username=f"admin-{time.monotonic_ns()}")
        yield measure("upload", warm, planted.project(0, features=False), str(folder))


def _django() -> None:
    import django
    from django.conf import settings

    os.chdir(ROOT)
    django.setup()
    settings.ALLOWED_HOSTS = ["*"]


def line(row: Row) -> str:
    first_byte = "" if row.first_byte_ms is None else f"{row.first_byte_ms:,.0f}"
    return (
        f"{row.part:<10}{'' if row.part == 'upload' else row.what[:14]:<16}{row.items:>10,}{row.seconds:>9.2f}"
        f"{row.rate:>12,.0f}{row.cpu_us:>12,.1f}{first_byte:>15}{row.memory_mb:>10,.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), help="of the exports")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        part, warm_id, project_id, what = args.child
        child(part, int(warm_id), int(project_id), what)
        return
    found = []
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        pictures = Path(folder) / "pictures"
        pictures.mkdir()
        os.environ |= {
            "TAGGER_DATA": str(Path(folder) / "data"),
            "TAGGER_IMPORT_ROOTS": str(pictures),
            "DJANGO_SETTINGS_MODULE": "tagger.settings",
        }
        os.chdir(ROOT)
        from tagger import stack

        stack.ensure_servers()
        _django()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        targets = ", ".join(f"{part} {target}" for part, target in TARGETS.items() if part in args.parts)
        print(f"aims on a quiet machine: {targets}; first byte 500 ms; memory flat, under 200 MB")
        print(
            f"{'work':<26}{'items':>10}{'s':>9}{'items/s':>12}{'cpu us/item':>12}{'first byte ms':>15}{'MB':>10}"
        )
        for row in rows(args.sizes, args.parts, args.formats):
            found.append(row)
            print(line(row), flush=True)
    if args.json:
        args.json.write_text(json.dumps([asdict(row) | {"rate": row.rate} for row in found], indent=1))


if __name__ == "__main__":
    main()
