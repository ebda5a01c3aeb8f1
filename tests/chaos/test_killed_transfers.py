"""Imports and exports whose process is killed at random moments, again and again: complete, nothing doubled or half."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from annotations import tasks
from annotations.importers import server_folders, sources
from annotations.importers.base import Batch, StagedFile
from annotations.importers.uploads import StagedUpload
from annotations.models import Decision, ExportJob, Image, ImportJob, JobState
from annotations.models.job import FINISHED_STATES, Job
from annotations.selectors.one_moment import one_moment
from annotations.services import exports, imports, storage
from tagger.layout import BASE_DIR
from tests.annotations import files
from tests.factories import make_cast, make_images, make_tags

KILLS = 20
PICTURES, ROWS = 700, 12_000
ENOUGH = 200
"""Times that a process is started before the test gives up."""


class Runner:
    """The process that forks others, on the test's database."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.task_runner"],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def run(self, task: str, job: Job, *, kill_after_s: float | None) -> None:
        """Run a task to its end, or to the moment at which it is killed."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{task} {job.pk}\n")
        self._process.stdin.flush()
        pid = int(self._line())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._line() == "ended"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def runner(transactional_db) -> Iterator[Runner]:
    name, sockets = connection.settings_dict["NAME"], settings.LAYOUT.sockets
    made = Runner(os.environ | {"DATABASE_URL": f"postgresql://tagger@/{name}?host={sockets}"})
    yield made
    made.close()


def kill_again_and_again(runner: Runner, task: str, job: Job, check, *, within_s: float) -> int:
    """Start the job's task until it is finished; the first `KILLS` processes are killed at a moment `within_s`."""
    rng, killed = random.Random(7), 0
    for _ in range(ENOUGH):
        # As the sweep would find it once the silence is long enough.
        type(job).objects.filter(pk=job.pk).update(heartbeat_at="2000-01-01T00:00:00Z")
        runner.run(task, job, kill_after_s=rng.uniform(0.0, within_s) if killed < KILLS else None)
        # The database may still be storing what the dead process had sent.
        with one_moment():
            job.refresh_from_db()
            check()
        if job.state in FINISHED_STATES:
            break
        killed += 1
    assert job.state == JobState.DONE, (job.state, job.reason, job.errors)
    return killed


def test_an_import_killed_twenty_times_lands_whole_and_once(runner, tmp_path, settings):
    cast = make_cast()
    make_tags(cast.project, "dog")
    source = files.folder_of(tmp_path / "photos", PICTURES)
    settings.IMPORT_ROOTS = [str(source)]
    batch = server_folders.read(str(source), storage.new_staging_area())
    job = imports.start(cast.project, actor=cast.manager, source="folder", batch=_tagged(batch))

    def whole_so_far() -> None:
        stored = Image.objects.filter(project=cast.project).count()
        assert stored == job.items.filter(state="added").count() == job.result["added"]

    killed = kill_again_and_again(runner, "run_import", job, whole_so_far, within_s=_lifetime_s(runner, cast))
    assert killed == KILLS
    assert job.result == {"added": PICTURES, "updated": 0, "duplicates": 0, "refused": 0}
    images = Image.objects.filter(project=cast.project)
    assert Counter(images.values_list("name", flat=True)) == Counter(
        {path.name: 1 for path in source.iterdir()}
    )
    assert Decision.objects.filter(image__project=cast.project).count() == PICTURES
    assert all(storage.exists(key) for key in images.values_list("storage_key", flat=True))


def test_a_table_killed_twenty_times_lands_whole_and_once(runner):
    """Its rows are read by the worker: a killed one has read some of them, or stored some of what it read."""
    cast = make_cast()
    images = make_images(cast.project, ROWS)
    rows = [{"sha256": image.sha256, "caption": f"New {image.name}", "tags": ["dog"]} for image in images]
    area = storage.new_staging_area()
    storage.put(f"{area}/1", "".join(f"{json.dumps(row)}\n" for row in rows).encode())
    sent = StagedUpload(f"{area}/1", "rows.jsonl", 0, "", "manifest")
    batch = sources.read({}, [sent], area=area).batch
    job = imports.start(cast.project, actor=cast.manager, source="table", batch=batch, area=area)

    def whole_so_far() -> None:
        told = job.items.filter(state="updated").count()
        assert told == job.result["updated"] == Decision.objects.count()
        assert job.items.count() == job.total

    killed = kill_again_and_again(runner, "run_import", job, whole_so_far, within_s=_lifetime_s(runner, cast))
    assert killed > KILLS / 4, "the job was over before it could be killed"
    assert job.result == {"added": 0, "updated": ROWS, "duplicates": 0, "refused": 0}
    captions = Image.objects.filter(project=cast.project, caption__startswith="New ")
    assert captions.count() == Decision.objects.count() == ROWS
    assert captions.filter(revision=2).count() == ROWS


def test_an_export_killed_twenty_times_is_written_once_and_whole(runner, tmp_path, settings):
    cast = make_cast()
    make_tags(cast.project, "dog")
    source = files.folder_of(tmp_path / "photos", PICTURES)
    settings.IMPORT_ROOTS = [str(source)]
    _land(cast, source)
    asked = {"actor": cast.manager, "format": "coco", "with_pictures": True}
    started = time.monotonic()
    runner.run("run_export", exports.start(cast.project, **asked), kill_after_s=None)
    takes_s = time.monotonic() - started
    job = exports.start(cast.project, **asked)
    area = storage.local_path(f"projects/{cast.project.pk}/exports")

    def nothing_half() -> None:
        seen = [path for path in area.iterdir() if not path.name.startswith(".")] if area.exists() else []
        if job.file_key:
            assert storage.local_path(job.file_key) in seen
        for path in seen:
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None

    killed = kill_again_and_again(runner, "run_export", job, nothing_half, within_s=0.8 * takes_s)
    assert killed > KILLS / 2, "the job was over before it could be killed"
    with zipfile.ZipFile(storage.local_path(job.file_key)) as archive:
        assert sum(name.endswith(".jpg") for name in archive.namelist()) == PICTURES
    assert storage.remove_leftovers(older_than=timedelta(0)) >= 0
    assert not [path for path in area.iterdir() if path.name.startswith(".")]


def _lifetime_s(runner: Runner, cast) -> float:
    """Long enough for a worker's first steps, however busy the machine is: five lives without any give a job up."""
    job = imports.start(
        cast.project, actor=None, source="items", batch=Batch((StagedFile("none.jpg", "nowhere"),))
    )
    started = time.monotonic()
    runner.run("run_import", job, kill_after_s=None)
    return max(0.7, 4 * (time.monotonic() - started))


def _tagged(batch):
    return replace(
        batch, files=tuple(one._replace(words=one.words._replace(tags=("dog",))) for one in batch.files)
    )


def _land(cast, source) -> None:
    """The pictures of a folder, imported in this process."""
    batch = server_folders.read(str(source), storage.new_staging_area())
    job = imports.start(cast.project, actor=cast.manager, source="folder", batch=batch)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert job.result["added"] == PICTURES, ImportJob.objects.get(pk=job.pk).errors
    assert ExportJob.objects.count() == 0
