"""`manage.py evaluate PROJECT`: the live model's figures against what people have answered until now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.selectors import model_inputs
from mlmodels.services import evaluation


class Command(BaseCommand):
    help = "Measure the live model on the reviewed holdout as it is now, and print the figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", type=int, help="id of the project")

    def handle(self, *args: Any, **options: Any) -> None:
        if model_inputs.project(options["project"]) is None:
            raise CommandError(
                f"Expected the id of a project, got {options['project']}, which does not exist."
            )
        evaluated = evaluation.of_live(options["project"])
        if not evaluated.images:
            raise CommandError("No holdout image has been reviewed yet, so there is nothing to measure by.")
        self.stdout.write(f"version {evaluated.number} on {evaluated.images} holdout images")
        for name, value in evaluated.figures.items():
            self.stdout.write(f"  {name.replace('_', ' '):<28}{'' if value is None else value}")
