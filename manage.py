#!/usr/bin/env python
"""Command line of Tagger: `python manage.py up` starts everything."""

import os
import sys

# These need neither database nor broker, or, like `up`, see to them themselves.
WITHOUT_SERVERS = {
    "up", "help", "version", "check", "collectstatic", "findstatic", "makemessages", "compilemessages",
    "diffsettings", "startapp", "startproject", "spectacular", "test",
}  # fmt: skip


def wants_servers(arguments: list[str]) -> bool:
    command = arguments[1] if len(arguments) > 1 else "help"
    informs = {"--help", "-h", "--version"} & set(arguments)
    return not (command in WITHOUT_SERVERS or command.startswith("-") or informs)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")
    if wants_servers(sys.argv):
        from tagger import embedded, stack

        try:
            stack.ensure_servers()
        except embedded.ServerError as error:
            sys.exit(str(error))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
