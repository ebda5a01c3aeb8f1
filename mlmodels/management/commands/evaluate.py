"""`manage.py evaluate PROJECT`: the live model's figures against what people have answered until now.

With `--number N` the gate's verdict of that version, worked out again from the scores stored with it.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.errors import DomainError
from annotations.models import Project
from annotations.services import accounts
from mlmodels import selectors
from mlmodels.core.errors import ArtifactError
from mlmodels.services import evaluation, judging


class Command(BaseCommand):
    help = "Measure the live model on the reviewed holdout as it is now, and print the figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's id or its exact name")
        parser.add_argument("--number", type=int, help="work out the gate's verdict of this version again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = accounts.find_project(options["project"])
            if options["number"] is not None:
                self._judge_again(project, options["number"])
                return
            evaluated = evaluation.of_live(project.pk)
        except DomainError as error:
            raise CommandError(error.message) from error
        if not evaluated.images:
            raise CommandError("No holdout image has been reviewed yet, so there is nothing to measure by.")
        self.stdout.write(f"version {evaluated.number} on {evaluated.images} holdout images")
        for name, value in evaluated.figures.items():
            if name.endswith("_interval"):
                continue
            lower, upper = evaluated.figures.get(f"{name}_interval", (None, None))
            moves = "" if lower is None else f"  [{lower}, {upper}]"
            self.stdout.write(f"  {name.replace('_', ' '):<28}{'' if value is None else value}{moves}")

    def _judge_again(self, project: Project, number: int) -> None:
        version = selectors.version_numbered(project.pk, number)
        if version is None:
            raise CommandError(f"“{project.name}” has no model version {number}.")
        try:
            verdict = judging.again(version)
        except ArtifactError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"version {number}: {verdict.outcome}")
        for reason in verdict.reasons:
            self.stdout.write(f"  {reason}")
        if (verdict.outcome, list(verdict.reasons)) != (version.verdict, version.reasons):
            raise CommandError(f"Expected {version.verdict} as stored, for: {' '.join(version.reasons)}")
