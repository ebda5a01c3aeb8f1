"""Make the sample project from the command line: `manage.py sample_project --user NAME [--count N]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.errors import DomainError
from annotations.models import ImportJob, User
from annotations.services import jobs, sample_project


class Command(BaseCommand):
    help = "Draw the sample project's scenes with captions, here and now, without a worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="whose project it becomes (default: the first admin)")
        parser.add_argument("--count", type=int, default=sample_project.COUNT, help="how many scenes")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError(f"--count: expected at least 1, got {options['count']}.")
        user = _user(options["user"])
        try:
            project = sample_project.create(user, count=options["count"])
        except DomainError as error:
            raise CommandError(error.message) from error
        waiting = sample_project.job_of(project)
        # A worker may have been faster: then there is nothing to claim, and it goes on by itself.
        job = jobs.claim(ImportJob, waiting.pk) if waiting else None
        if job is not None:
            sample_project.run(job)
        self.stdout.write(f"Project {project.pk} “{project.name}” of {user.username}.")


def _user(name: str | None) -> User:
    people = User.objects.filter(is_active=True)
    user = (
        people.filter(username=name).first() if name else people.filter(is_staff=True).order_by("pk").first()
    )
    if user is None:
        wanted = f"Nobody signs in as “{name}”" if name else "There is no admin"
        raise CommandError(f"{wanted}. Create the account first: manage.py create_user NAME --role admin.")
    return user
