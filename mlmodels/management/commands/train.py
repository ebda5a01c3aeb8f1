"""`manage.py train PROJECT`: one training run through the same service as the worker, in this process."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotations.errors import DomainError
from annotations.models.job import JobState
from annotations.services import accounts, snapshot_truth, snapshots
from mlmodels.models import TrainingRun
from mlmodels.services import (
    finetune_estimates,
    finetune_settings,
    finetuning,
    rescoring,
    runs,
    training,
)


class Command(BaseCommand):
    help = "Train a head on everything that people have answered, judge it, and put it live if it passes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's id or its exact name")
        parser.add_argument(
            "--finetune", action="store_true", help="tune the backbone first; says how long before it starts"
        )
        parser.add_argument(
            "--stages", type=int, default=1, help="of the backbone, from its end; 0 for all of it"
        )
        parser.add_argument("--epochs", type=int, default=12, help="at most so many (default: 12)")
        parser.add_argument("--batch", type=int, default=32, help="images at once (default: 32)")
        parser.add_argument("--loss", choices=finetune_settings.LOSSES, default="asymmetric")
        parser.add_argument("--device", default="", help="cpu, cuda or mps; the best there is by default")
        parser.add_argument(
            "--snapshot", help="id or name of a snapshot to learn from, not from today's answers"
        )
        parser.add_argument("--seed", type=int, default=0, help="of folds and bootstrap (default: 0)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["finetune"]:
            _refuse_missing(options["device"])
        if options["finetune"] and int(os.environ.get("RANK", "0")):  # torchrun's other processes
            finetuning.assist(device=options["device"])
            return
        try:
            project = accounts.find_project(options["project"])
            if options["finetune"]:
                self._finetune(project.pk, options)
                return
            word = options["snapshot"]
            snapshot = snapshot_truth.refer(project, snapshots.find(project, word).pk) if word else None
            asked = runs.request(project.pk, seed=options["seed"], snapshot=snapshot)
        except DomainError as error:
            raise CommandError(error.message) from error
        run = training.execute(asked.pk)
        if run is None:
            raise CommandError("Another run is at work in this project; wait for it or cancel it.")
        self._rescore(project.pk)
        self._tell(run)

    def _finetune(self, project_id: int, options: dict[str, Any]) -> None:
        """Say how long it will take, then do it; what follows from a passed gate is the workers' work."""
        if options["snapshot"]:
            raise CommandError("Fine-tuning learns from the present answers: leave --snapshot out.")
        chosen = {name: options[name] for name in ("stages", "epochs", "batch", "loss")}
        try:
            settings = finetune_settings.read(chosen)
            told = finetune_estimates.measure(project_id, chosen, device=options["device"])
            self.stderr.write(told.sentence)
            asked = runs.request_finetune(project_id, seed=options["seed"], settings=settings)
        except DomainError as error:
            raise CommandError(error.message) from error
        run = finetuning.execute(asked.pk, device=options["device"])
        if run is None:
            raise CommandError("Another run tunes this project's backbone; wait for it or cancel it.")
        for point in run.tuning.get("curve", []):
            self.stdout.write(f"epoch {point['epoch']}: average precision {point['average_precision']:.4f}")
        for note in run.tuning.get("notes", []):
            self.stdout.write(f"  {note}")
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
        for reason in [
            *run.result["reasons"],
            *([run.reason] if run.state == JobState.DONE and run.reason else []),
        ]:
            self.stdout.write(f"  {reason}")


def _refuse_missing(device: str) -> None:
    """Before anything is asked for: the run would wait for a worker that has no such device either."""
    from mlmodels.core import devices
    from mlmodels.core.errors import DeviceError

    try:
        devices.chosen(device)
    except DeviceError as error:
        raise CommandError(str(error)) from error
