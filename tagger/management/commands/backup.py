"""`backup FILE`: everything of this installation in one file, also while it runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from tagger import backups


class Command(BaseCommand):
    help = "Write database, pictures and model files to one file, also while Tagger runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to write; an existing file is replaced")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"].absolute()
        try:
            with tqdm(unit="B", unit_scale=True, disable=None) as bar:
                written = backups.write(
                    target, settings.LAYOUT, on_progress=lambda size: bar.update(size) and None
                )
                bar.reset(total=target.stat().st_size)
                bar.set_description("Checking")
                backups.check(target, on_progress=lambda size: bar.update(size) and None)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{target}: {len(written.members):,} files, {target.stat().st_size:,} bytes, read back and whole."
        )
