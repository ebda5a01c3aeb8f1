"""Runs single tasks, each in a process of its own that a test can kill: `NAME ARGUMENT` a line in, its pid a line out.

Django is loaded once; the processes are forks, which open connections of their own.
"""

import os
import sys

import django


def main() -> None:
    django.setup()
    from django.db import connections

    from annotations import tasks

    print("ready", flush=True)
    for line in sys.stdin:
        name, argument = line.split()
        pid = os.fork()
        if pid == 0:
            connections.close_all()
            getattr(tasks, name)(int(argument))
            os._exit(0)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
