"""Ends a small tuning of made pictures by SIGKILL again and again, and compares its curve. Part of `finetune.py`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def compare(times: int) -> None:
    """Print how far the curve of a tuning that was killed `times` times is from one that was left alone."""
    expected, found = run(0), run(times)
    print("| epoch | left alone | killed |")
    print("| --- | --- | --- |")
    for epoch, (one, other) in enumerate(zip(expected, found, strict=True)):
        print(f"| {epoch} | {one:.4f} | {other:.4f} |")
    apart = max(abs(one - other) for one, other in zip(expected, found, strict=True))
    print(f"killed {times} times: at most {apart:.4f} AP apart")


def run(kills: int) -> list[float]:
    """The curve of one tuning, in as many processes as it takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.mlmodels.core.learning.tuning_process", folder, str(kills)]
        subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
        curve: list[float] = json.loads((Path(folder) / "curve.json").read_text())
    return curve
