"""Tunes the small set, as the only process or one of several under torchrun; and again and again until it is through,
each time in a fork that is killed at another moment: FOLDER [KILLS]. A line a batch, then the curve in FOLDER.
"""

import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import torch

from mlmodels.core.learning import finetune, ranks
from mlmodels.core.learning.finetune import tune
from tests.mlmodels.core.learning import tuning_set

MOST_LINES = 9


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as weights, ranks.joined("cpu") as (together, device):
        result = tune(
            tuning_set.backbone(Path(weights)),
            tuning_set.training_set(),
            tuning_set.SETTINGS,
            folder=folder,
            side_px=tuning_set.SIDE_PX,
            device=device,
            on_progress=lambda progress: print(progress.phase, progress.done, flush=True),
            ranks=together,
        )
        sums = [sum(float(tensor.double().sum()) for tensor in result.state.values())]
        if together.share(sums) == sums:
            print("ended in agreement", flush=True)
        if together.is_first:
            curve = [point.average_precision for point in result.curve]
            (folder / "curve.json").write_text(json.dumps(curve))


def killed(folder: Path, kills: int) -> None:
    """Everything is imported once; the forks die by SIGKILL after as many lines as chance says."""
    chance, done = random.Random(0), 0
    while True:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(writing, 1)
            main(folder)
            os._exit(0)
        os.close(writing)
        after = chance.randint(1, MOST_LINES)
        with os.fdopen(reading) as lines:
            for said, _line in enumerate(lines, start=1):
                if done < kills and said == after:
                    os.kill(pid, signal.SIGKILL)
                    done += 1
                    break
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            break
    print(f"killed {done} times, ended with {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    finetune.SAVE_EVERY_S = 0.0
    if len(sys.argv) > 2:
        killed(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
