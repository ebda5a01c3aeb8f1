"""Prints its standard input once the site answers: `python -m tagger.announce URL` beside the supervisor."""

import os
import signal
import sys
import urllib.error
import urllib.request

from tagger import processes

PATIENCE_S = 120.0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def main(url: str) -> None:
    processes.die_with_parent(signal.SIGTERM, os.getppid())
    text = sys.stdin.read()
    if not processes.wait_until(lambda: answers(f"{url}healthz"), timeout_s=PATIENCE_S, every_s=0.1):
        text = f"Tagger does not answer at {url} yet; the reason is in its logs.\n{text}"
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
