from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from annotations.errors import DomainError
from annotations.services import accounts


class Command(BaseCommand):
    help = (
        "Create an account with a right in the installation; joins a project only with --project. Never asks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--role", required=True, choices=[role.value for role in accounts.INSTALLATION_ROLES]
        )
        parser.add_argument("--project", help="id or exact name of a project to join with this role")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(
        self, *, name: str, role: str, project: str | None, password_stdin: bool, **options: object
    ) -> None:
        # Windows' and Unix' line ends go; other white space may be part of the password.
        password = input().rstrip("\r\n") if password_stdin else None
        try:
            joined = accounts.find_project(project) if project else None
            _, made = accounts.create_user(name, role=role, password=password, project=joined)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Created {name} ({role}).")
        if made:
            self.stdout.write(f"Password: {made}")
