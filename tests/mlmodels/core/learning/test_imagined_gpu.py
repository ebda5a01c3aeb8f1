"""Tuning, its estimate and features on a device that is not the CPU (see imagined_gpu): nothing is left behind.

What a real GPU computes, and its memory, this does not try: benchmarks/finetune.py PACK --device cuda.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.mlmodels.core.learning import imagined_gpu


@pytest.fixture(scope="module")
def found():
    command = [sys.executable, "-m", imagined_gpu.__name__]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


def test_the_device_keeps_to_itself(found):
    """Else the tests below could not fail."""
    assert "got cpu and gpu:0" in found["mixture"]
    assert "numpy" in found["numpy"]


@pytest.mark.parametrize("how", ["cut, kept", "cut, not kept", "not cut", "all of it"])
def test_tuning_there_follows_the_same_curve_and_the_weights_come_back(found, how):
    told = found["tuned"][how]
    assert np.array(told["there"]["curve"]) == pytest.approx(np.array(told["cpu"]["curve"]), rel=1e-3)
    assert told["there"]["sum"] == pytest.approx(told["cpu"]["sum"], rel=1e-6)
    assert told["there"]["devices"] == ["cpu"]
    assert len(told["cpu"]["curve"]) > 1


@pytest.mark.parametrize("how", ["cut, kept", "cut, not kept", "not cut", "all of it"])
def test_a_checkpoint_from_there_goes_on_there(found, how):
    assert found["tuned"][how]["paused"] == found["tuned"][how]["there"]


def test_features_there_are_the_same(found):
    assert found["features apart"] == 0


def test_the_estimate_is_measured_there(found):
    assert found["estimated"]["device"] == imagined_gpu.DEVICE
    assert found["estimated"]["seconds"] > 0
