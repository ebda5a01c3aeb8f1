"""`import_images PROJECT PATH...`: pictures of this machine or at addresses, through the same services as the API."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotations.errors import DomainError
from annotations.importers import addresses, captions, folder, server_folders, sidecars, tag_folders
from annotations.importers.archives import opening as archives
from annotations.importers.base import Batch, ItemError, Options, StagedFile
from annotations.models import ImportJob, JobState
from annotations.services import imports, jobs, storage
from annotations.services.accounts import find_project

ERRORS_SHOWN = 20


class Command(BaseCommand):
    help = "Import images into a project: files, folders (with all below them), archives (zip, tar) and web addresses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's id or its exact name")
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="a picture, a folder, an archive or a web address"
        )
        parser.add_argument(
            "--captions", type=Path, help="CSV (columns name, caption, tags) or JSON of captions"
        )
        parser.add_argument(
            "--complete", action="store_true", help="the tags are all that apply: count as reviewed"
        )
        parser.add_argument(
            "--no-create-tags", action="store_true", help="report unknown tags, do not create them"
        )
        parser.add_argument(
            "--file-keywords",
            action="store_true",
            help="read keywords and captions inside the files (XMP, IPTC) too",
        )
        parser.add_argument(
            "--format",
            choices=[tag_folders.FORMAT],
            help="imagefolder: the folders of a folder or archive name the tag; all others are recognised",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        area = storage.new_staging_area()
        try:
            with storage.told_when_full():
                job = self._start(area, options)
        except DomainError as error:
            storage.delete_area(area)
            raise CommandError(error.message) from error
        self._work(job)
        self._report(job)

    def _start(self, area: str, options: dict[str, Any]) -> ImportJob:
        project = find_project(options["project"])
        read = _by_folders if options["format"] else _read
        batches = [read(path, f"{area}/{number}") for number, path in enumerate(options["paths"])]
        words = {name: said for batch in batches for name, said in batch.words.items()}
        errors = [error for batch in batches for error in batch.errors]
        if options["captions"]:
            table, told = captions.read_captions(
                _bytes(options["captions"]), source_name=options["captions"].name
            )
            words.update(table)
            errors += told
        files = tuple(file for batch in batches for file in batch.files)
        tables = tuple(table for batch in batches for table in batch.tables)
        return imports.start(
            project,
            actor=None,
            source="command",
            batch=server_folders.digested(Batch(files, words, tuple(errors), tables=tables)),
            options=Options(
                create_tags=not options["no_create_tags"],
                complete=options["complete"],
                file_keywords=options["file_keywords"],
            ),
            area=area,
        )

    def _work(self, job: ImportJob) -> None:
        claimed = jobs.claim(ImportJob, job.pk)
        if claimed is not None:
            with tqdm(total=job.total, initial=job.done, unit="image", disable=None) as bar:
                imports.run(claimed, on_progress=lambda done: bar.update(done - bar.n) and None)
        job.refresh_from_db()

    def _report(self, job: ImportJob) -> None:
        for error in job.errors[:ERRORS_SHOWN]:
            self.stderr.write(f"{error['item']}: {error['message']}")
        if len(job.errors) > ERRORS_SHOWN:
            self.stderr.write(
                f"and {len(job.errors) - ERRORS_SHOWN} more: see import {job.pk} of the project"
            )
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in job.result.items()))
        if job.state != JobState.DONE:
            raise CommandError(f"The import is {job.state}: {job.reason}")


def _by_folders(named: str, area: str) -> Batch:
    batch = _read(named, area)
    return replace(batch, files=tag_folders.tagged(batch.files, has_root=Path(named).is_dir()))


def _read(named: str, area: str) -> Batch:
    if named.startswith(("http://", "https://")):
        return addresses.read_urls([named])
    path = Path(named)
    if path.is_dir():
        return sidecars.take(server_folders.read_all(path, area))
    if not path.is_file():
        return Batch(
            (), errors=(ItemError(str(path), "file_missing", "Expected a file or a folder, got none."),)
        )
    if archives.is_archive(path.name):
        with path.open("rb") as stream:
            return sidecars.take(archives.read(stream, area=area, source_name=path.name))
    staged: StagedFile = folder.staged(path, below=None)
    return Batch((staged,))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"--captions {path}: {error.strerror}.") from error
