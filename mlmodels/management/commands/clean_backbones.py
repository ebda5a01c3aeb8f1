"""`manage.py clean_backbones`: removes the weights of tuned backbones that nothing needs any more."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mlmodels.services import tuned_backbones


class Command(BaseCommand):
    help = "Remove weights of tuned backbones that no project asks for, reads, or may roll back to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list them")

    def handle(self, *args: Any, **options: Any) -> None:
        names = tuned_backbones.removable()
        for name in names:
            if options["dry_run"]:
                self.stdout.write(f"{name}: could go")
            else:
                self.stdout.write(f"{name}: {tuned_backbones.remove(name) / 1e6:.1f} MB removed")
        if not names:
            self.stdout.write("Nothing to remove.")
