"""`restore FILE`: a backup put into an empty installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from tqdm import tqdm

from tagger import backups, stack


class Command(BaseCommand):
    help = (
        "Put a backup into an installation that has no project yet. Users who are there already are replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        source: Path = options["file"].absolute()
        if running := stack.running_stack(settings.LAYOUT):
            raise CommandError(f"Tagger runs here as process {running.identity.pid}. Stop it, then restore.")
        if not backups.is_empty():
            raise CommandError(
                f"There are projects in {settings.LAYOUT.root} already, and a backup replaces everything. "
                "Restore into a new TAGGER_DATA."
            )
        try:
            manifest = self._read(source)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        call_command("migrate", verbosity=0)  # a backup may be older than the code
        self.stdout.write(f"Restored {len(manifest.members):,} files, made at {manifest.made_at}.")

    def _read(self, source: Path) -> backups.Manifest:
        """Twice: nothing is written before the whole file has been found sound."""
        total = 2 * source.stat().st_size if source.exists() else None
        with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
            manifest = backups.check(source, on_progress=lambda size: bar.update(size) and None)
            backups.restore(
                source, settings.LAYOUT, manifest, on_progress=lambda size: bar.update(size) and None
            )
        return manifest
