"""`export PROJECT FORMAT FILE`: what people decided, written to a file through the same services as the API."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotations.errors import DomainError
from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob, JobState
from annotations.selectors import export_rows
from annotations.services import exports, jobs, snapshots, storage
from annotations.services.accounts import find_project


class Command(BaseCommand):
    help = "Export a project's images and what people decided."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's id or its exact name")
        parser.add_argument("format", choices=sorted(FORMATS))
        parser.add_argument("file", type=Path, help="where to write; an existing file is replaced")
        parser.add_argument("--images", action="store_true", help="with the images' files, as a zip archive")
        parser.add_argument("--snapshot", metavar="NAME", help="what was frozen under this name or id")
        parser.add_argument(
            *("--option", "-o"),
            action="append",
            metavar="NAME=VALUE",
            help="an option of the format, such as implied_no=true; the API's exports/formats/ lists them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = find_project(options["project"])
            job = exports.start(
                project,
                actor=None,
                format=options["format"],
                options=_options(options["option"] or []),
                with_pictures=options["images"],
                snapshot=snapshots.find(project, options["snapshot"]) if options["snapshot"] else None,
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        for loss in job.result["losses"]:
            self.stderr.write(f"Note: {loss}")
        total = export_rows.count(project, export_rows.Filter())
        if (claimed := jobs.claim(ExportJob, job.pk)) is not None:
            with tqdm(total=total, unit="image", disable=None) as bar:
                exports.run(claimed, on_progress=lambda done: bar.update(done - bar.n) and None)
        job.refresh_from_db()
        if job.state != JobState.DONE:
            raise CommandError(f"The export is {job.state}: {job.reason}")
        self._save(job, options["file"])
        self.stdout.write(
            f"{job.result['items']:,} images, {job.result['bytes']:,} bytes in {options['file']}"
        )

    def _save(self, job: ExportJob, target: Path) -> None:
        """Copy under a temporary name and rename, so that the file is whole or not there."""
        temporary = target.with_name(f".{target.name}.part")
        try:
            with storage.open_for_reading(job.file_key) as source, temporary.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            temporary.replace(target)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        finally:
            temporary.unlink(missing_ok=True)


def _options(pairs: list[str]) -> dict[str, Any]:
    """`name=value` as an option; true and false are switches, other words a choice."""
    chosen: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--option {pair}: expected NAME=VALUE.")
        chosen[name] = {"true": True, "false": False}.get(value, value)
    return chosen
