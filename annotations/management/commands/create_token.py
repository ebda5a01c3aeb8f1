from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from annotations.errors import DomainError
from annotations.services import accounts


class Command(BaseCommand):
    help = "Create an API token for an account; the key stands alone on the last line and is not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--days", type=int, default=90, help="how long it is valid (default 90)")

    def handle(self, *, name: str, days: int, **options: object) -> None:
        try:
            key = accounts.create_token(name, expires_in=timedelta(days=days))
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Token for {name}, valid for {days} days:")
        self.stdout.write(key)
