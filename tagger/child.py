"""Becomes another program that is nice and ends with its parent: `python -m tagger.child NICE COMMAND...`."""

import os
import signal
import sys

from tagger import processes


def main(nice: str, *command: str) -> None:
    parent = os.getppid()
    if int(nice):
        os.nice(int(nice))
    processes.die_with_parent(signal.SIGTERM, parent)
    os.execvp(command[0], command)  # noqa: S606 - a fixed program, no shell wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
