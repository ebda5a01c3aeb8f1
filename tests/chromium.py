"""Finds or installs a Chromium and prints its path: `python -m tests.chromium`."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    named = os.environ.get("CHROMIUM", "").strip()
    if named and not os.access(named, os.X_OK):
        sys.exit(f"CHROMIUM: expected a program, got {named!r}. Correct the variable or unset it.")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None) or _of_playwright()


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None  # noqa: PTH110 - a string from outside, only asked


def install() -> None:
    """The distribution's package where we may install one, else playwright's own download."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update"],
            ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
        ):
            if subprocess.run(command, stdout=sys.stderr, env=environment, check=False).returncode:
                break
        else:
            return
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False
    )


def main() -> None:
    if not installed():
        install()
    path = installed()
    if not path:
        sys.exit(
            "No Chromium found, and none could be installed. Install one, or name it with CHROMIUM=/path."
        )
    print(path)


if __name__ == "__main__":
    main()
