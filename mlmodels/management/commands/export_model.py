"""`export_model PROJECT FILE`: a version as one ONNX file, which runs without Tagger."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotations.errors import DomainError
from annotations.services import storage
from annotations.services.accounts import find_project
from mlmodels.management.versioned import VersionCommand
from mlmodels.services import portable


class Command(VersionCommand):
    help = (
        "Write a model version (backbone, head, tags and thresholds) as one ONNX file. It reads no captions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's id or its exact name")
        parser.add_argument("file", type=Path, help="where to write; an existing file is replaced")
        self.add_version(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["file"]
        try:
            version = self.find_version(find_project(options["project"]), options["version"])
            with tqdm(total=len(portable.STAGES), unit="stage", disable=None) as bar:

                def on_stage(stage: str) -> None:
                    bar.set_description(stage)
                    bar.update(portable.STAGES.index(stage) - bar.n)

                made = portable.build(version, on_stage=on_stage)
                on_stage("store")
                save(made.data, target)
                bar.update()
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"version {version.number}, {made.tags:,} tags, {len(made.data):,} bytes in {target}\n"
            f"sha256 {made.sha256}"
        )


def save(data: bytes, target: Path) -> None:
    """Under a temporary name first, so that the file is whole or not there."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        said = "the disk is full" if storage.is_full(error) else error.strerror
        raise CommandError(f"{target} cannot be written: {said}. Nothing was left there.") from error
    finally:
        temporary.unlink(missing_ok=True)
