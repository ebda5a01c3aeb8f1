"""What commands on one version share: its number as an option, and finding it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Project
from mlmodels import selectors
from mlmodels.models import ModelVersion


class VersionCommand(BaseCommand):
    """A command whose `--version` is that of a model; Django's own option of this name, its version, gives way."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_version(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--version", type=int, metavar="N", help="number of the model version (default: the live one)"
        )

    def find_version(self, project: Project, number: int | None) -> ModelVersion:
        version = selectors.version_numbered(project.pk, number)
        if version is None and number is None:
            raise CommandError(
                f"No model version is live in “{project.name}”: train one first, or name one with --version."
            )
        if version is None:
            raise CommandError(f"“{project.name}” has no model version {number}.")
        return version
