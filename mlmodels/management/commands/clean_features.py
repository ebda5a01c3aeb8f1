"""`manage.py clean_features`: free the space of features that no live or roll-back version reads."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mlmodels.services import feature_cleanup


class Command(BaseCommand):
    help = (
        "Remove features of extractors that suggestions do not read, settings do not ask for, and no version that "
        f"was live in the last {feature_cleanup.ROLL_BACK_DAYS} days, or before the present one, needs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and leave it")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = feature_cleanup.removable()
        for part in parts:
            count = part.features if options["dry_run"] else feature_cleanup.remove(part)
            word = "would go" if options["dry_run"] else "removed"
            self.stdout.write(f"project {part.project_id}: {count} features of {part.extractor_key} {word}")
        if not parts:
            self.stdout.write("Every feature is needed.")
