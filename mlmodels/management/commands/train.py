"""`manage.py train PROJECT`: one training run through the same service as the worker, in this process."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotations.models.job import JobState
from annotations.selectors import model_inputs
from mlmodels.models import TrainingRun
from mlmodels.services import rescoring, runs, training


class Command(BaseCommand):
    help = "Train a head on everything that people have answered, judge it, and put it live if it passes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", type=int, help="id of the project")
        parser.add_argument("--finetune", action="store_true", help="train the backbone too")
        parser.add_argument("--seed", type=int, default=0, help="of folds and bootstrap (default: 0)")

    def handle(self, *args: Any, **options: Any) -> None:
        project_id = options["project"]
        if options["finetune"]:
            raise CommandError("This version trains heads only: leave --finetune out.")
        if model_inputs.project(project_id) is None:
            raise CommandError(f"Expected the id of a project, got {project_id}, which does not exist.")
        run = training.execute(runs.request(project_id, seed=options["seed"]).pk)
        if run is None:
            raise CommandError("Another run is at work in this project; wait for it or cancel it.")
        self._rescore(project_id)
        self._tell(run)

    def _rescore(self, project_id: int) -> None:
        """What the worker does in the background, with a bar."""
        after_id: int | None = 0
        with tqdm(desc="suggestions", unit=" images") as bar:
            while after_id is not None:
                walked = rescoring.walk(project_id, after_id=after_id)
                bar.update(walked.scored)
                after_id = walked.resume_after

    def _tell(self, run: TrainingRun) -> None:
        version = run.result.get("version")
        if run.state == JobState.FAILED or version is None:
            raise CommandError(f"Run {run.pk} ended {run.state}: {run.reason}")
        metrics = run.result["metrics"]
        self.stdout.write(
            f"version {version['number']}: {run.result['verdict']}, "
            f"macro average precision {metrics['macro_average_precision']}, micro F1 {metrics['micro_f1']}"
        )
        for reason in [*run.result["reasons"], *([run.reason] if run.result.get("skipped") else [])]:
            self.stdout.write(f"  {reason}")
