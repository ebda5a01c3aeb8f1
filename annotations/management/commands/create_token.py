from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotations.errors import DomainError
from annotations.services import accounts


class Command(BaseCommand):
    help = "Create an API token for an account; the key stands alone on the last line and is not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--days",
            type=int,
            default=settings.TOKEN_DAYS,
            help=f"how long it is valid (default {settings.TOKEN_DAYS}); 0 for until it is revoked",
        )

    def handle(self, *, name: str, days: int, **options: object) -> None:
        try:
            key = accounts.create_token(name, days=days)
        except DomainError as error:
            raise CommandError(error.message) from error
        valid = f"for {days} days" if days else "until it is revoked"
        self.stdout.write(f"Token for {name}, valid {valid}:")
        self.stdout.write(key)
