"""Fine-tuning: it beats the frozen backbone, is decided by the seed, survives kills, stops when told."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mlmodels.core.learning import checkpoints, finetune, stages
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.tuning import TuningError, TuningSettings
from tests.mlmodels.core.learning import tuning_set
from tests.mlmodels.core.learning.tuning_set import IMAGES, SETTINGS, SIDE_PX, curve_of


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for one another by spinning are slow beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return tuning_set.backbone(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def training():
    return tuning_set.training_set()


@pytest.fixture(scope="module")
def whole(backbone, training, tmp_path_factory):
    """A tuning that nothing disturbs."""
    return tune(backbone, training, SETTINGS, folder=tmp_path_factory.mktemp("whole"), side_px=SIDE_PX)


def test_tuning_the_last_stage_beats_the_frozen_backbone(whole):
    frozen, best = whole.curve[0], whole.curve[whole.best]
    assert best.average_precision > frozen.average_precision + 0.05
    assert np.isnan(frozen.loss)


def test_only_the_last_stages_change(whole, backbone):
    before = backbone.module.model.state_dict()
    changed = {name for name, tensor in whole.state.items() if not torch.equal(tensor, before[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} <= {"blocks", "conv_head", "bn2"}
    assert not any(name.startswith("blocks.0") for name in changed)
    assert whole.state.keys() == before.keys()


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(whole, backbone, training, tmp_path):
    again = tune(backbone, training, SETTINGS, folder=tmp_path / "a", side_px=SIDE_PX)
    other = tune(
        backbone, training, replace(SETTINGS, seed=1, epochs=1), folder=tmp_path / "b", side_px=SIDE_PX
    )
    assert curve_of(again) == curve_of(whole)
    assert curve_of(other)[1] != curve_of(whole)[1]


@pytest.mark.parametrize("cache_bytes", [0, TuningSettings().cache_bytes])
def test_a_tuning_stopped_at_any_batch_goes_on_to_the_same_curve(backbone, training, tmp_path, cache_bytes):
    settings = replace(SETTINGS, epochs=2, cache_bytes=cache_bytes)
    expected = tune(backbone, training, settings, folder=tmp_path / "whole", side_px=SIDE_PX)
    result, stops = tuning_set.tuned_with_pauses(
        4, backbone, training, settings, folder=tmp_path / "cut", side_px=SIDE_PX
    )
    assert stops > 2
    assert curve_of(result) == curve_of(expected)
    assert all(torch.equal(tensor, expected.state[name]) for name, tensor in result.state.items())


def test_a_process_killed_at_ten_moments_reaches_the_same_curve(whole, tmp_path):
    command = [sys.executable, "-m", "tests.mlmodels.core.learning.tuning_process", str(tmp_path), "10"]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert "killed 10 times, ended with 0" in ended.stdout, ended.stderr[-2000:]
    found = json.loads((tmp_path / "curve.json").read_text())
    assert len(found) == len(whole.curve)
    assert max(abs(a - b.average_precision) for a, b in zip(found, whole.curve, strict=True)) <= 0.005


def test_two_processes_train_one_model(backbone, training, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(
        [*command, "tests.mlmodels.core.learning.tuning_process", str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads((tmp_path / "curve.json").read_text())
    assert ended.stdout.count("ended in agreement") == 2
    assert max(found) > found[0] + 0.05


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext"])
@pytest.mark.parametrize("stages", [1, None])
def test_backbones_of_other_kinds_are_tuned_too(tmp_path, name, stages):
    backbone = tuning_set.random_backbone(name)
    training = tuning_set.training_set(side_px=backbone.spec.input_px)
    settings = replace(SETTINGS, stages=stages, epochs=1)
    result = tune(backbone, training, settings, folder=tmp_path, side_px=backbone.spec.input_px)
    assert len(result.curve) == 2
    assert result.state.keys() == backbone.module.model.state_dict().keys()


def test_running_out_of_memory_halves_the_batch_and_says_so(whole, backbone, training, tmp_path, monkeypatch):
    most = SETTINGS.batch // 4

    def full_above(module, inputs):
        if torch.is_grad_enabled() and len(inputs[0]) > most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    handle = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, inputs: full_above(module, inputs) if type(module).__name__ == "Tagging" else None
    )
    try:
        result = tune(backbone, training, SETTINGS, folder=tmp_path, side_px=SIDE_PX)
    finally:
        handle.remove()
    assert [note.split(":")[0] for note in result.notes] == [
        f"cpu ran out of memory at {SETTINGS.batch} images at once",
        f"cpu ran out of memory at {SETTINGS.batch // 2} images at once",
    ]
    # Pieces of a batch add up to its gradient: the curve is the one that a larger memory would have given.
    found = [point.average_precision for point in result.curve]
    assert found == pytest.approx([point.average_precision for point in whole.curve], abs=0.05)


@pytest.mark.parametrize("part", ["the frozen part", "the probe"])
def test_memory_that_runs_out_before_training_halves_the_batch_too(
    whole, backbone, training, tmp_path, monkeypatch, part
):
    """The frozen part, which has the largest pictures, or the probe of the frozen features."""
    most = SETTINGS.batch // 2
    owner, name = (stages.Front, "forward") if part == "the frozen part" else (stages.Tagging, "features")
    real = getattr(owner, name)

    def full_above(self, inputs):
        if not torch.is_grad_enabled() and len(inputs) > most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return real(self, inputs)

    monkeypatch.setattr(owner, name, full_above)
    told = []
    result = tune(
        backbone,
        training,
        SETTINGS,
        folder=tmp_path,
        side_px=SIDE_PX,
        on_progress=lambda p: told.append(p.notes),
    )
    assert result.notes == (f"cpu ran out of memory at {SETTINGS.batch} images at once: {most} from now on.",)
    assert result.notes in told
    assert curve_of(result)[0] == pytest.approx(curve_of(whole)[0], abs=1e-3)


def test_half_precision_follows_the_same_curve(whole, backbone, training, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "_has_amx", lambda: True)
    result = tune(backbone, training, SETTINGS, folder=tmp_path, side_px=SIDE_PX)
    assert curve_of(result) != curve_of(whole)
    found, wanted = ([point.average_precision for point in one.curve] for one in (result, whole))
    assert found == pytest.approx(wanted, abs=0.05)
    assert all(tensor.dtype == whole.state[name].dtype for name, tensor in result.state.items())


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:114] . DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["cuda", "cpu"],
)
def test_no_memory_for_one_image_is_an_error_that_says_what_to_do(backbone, training, tmp_path, error):
    def full(module, inputs):
        if torch.is_grad_enabled() and type(module).__name__ == "Tagging":
            raise error

    handle = torch.nn.modules.module.register_module_forward_pre_hook(full)
    try:
        with pytest.raises(TuningError, match="cpu ran out of memory; tune fewer stages"):
            tune(backbone, training, SETTINGS, folder=tmp_path, side_px=SIDE_PX)
    finally:
        handle.remove()


def test_a_full_disk_leaves_the_checkpoint_before_and_no_half_file(tmp_path, monkeypatch):
    checkpoints.save(tmp_path, {"epoch": 1})

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(tmp_path, {"epoch": 2})
    assert checkpoints.load(tmp_path) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == [checkpoints.NAME]


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / checkpoints.NAME).write_bytes(b"no archive")
    with pytest.raises(TuningError, match="damaged"):
        checkpoints.load(tmp_path)


def test_other_settings_do_not_go_on_from_a_checkpoint(backbone, training, tmp_path):
    tune(backbone, training, replace(SETTINGS, epochs=1), folder=tmp_path, side_px=SIDE_PX)
    with pytest.raises(TuningError, match="settings that this run began with"):
        tune(backbone, training, replace(SETTINGS, epochs=1, rate=1e-5), folder=tmp_path, side_px=SIDE_PX)


def test_too_few_images_are_refused(backbone, training, tmp_path):
    few = replace(training, truth=training.truth[:3], image_ids=training.image_ids[:3])
    with pytest.raises(TuningError, match="at least 16 images"):
        tune(backbone, few, SETTINGS, folder=tmp_path, side_px=SIDE_PX)


def test_what_the_frozen_part_said_is_kept_within_the_bound(backbone, training, tmp_path):
    one_view = 2 * IMAGES * 2 * np.prod(tuning_set.activation_shape(backbone))
    settings = replace(SETTINGS, epochs=1, views=3, cache_bytes=int(one_view) + 10)
    tune(backbone, training, settings, folder=tmp_path, side_px=SIDE_PX)
    assert (tmp_path / "activations.f16").stat().st_size == one_view
    tune(backbone, training, replace(settings, cache_bytes=10), folder=tmp_path / "none", side_px=SIDE_PX)
    assert not (tmp_path / "none" / "activations.f16").exists()


def test_it_stops_early(backbone, training, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "_is_better", lambda point, best: False)
    result = tune(
        backbone, training, replace(SETTINGS, patience=2, epochs=9), folder=tmp_path, side_px=SIDE_PX
    )
    assert (len(result.curve), result.best) == (3, 0)
    before = backbone.module.model.state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in result.state.items())


def test_held_back_images_are_never_trained_on(backbone, tmp_path):
    """No batch holds both one that is held back and one that is trained on."""
    from mlmodels.core.learning.sources import held_back_rows

    seen: list[list[int]] = []
    training = tuning_set.training_set(seen)
    settings = replace(SETTINGS, epochs=1, cache_bytes=0)
    held_back = set(held_back_rows(training.image_ids, seed=settings.seed))
    tune(backbone, training, settings, folder=tmp_path, side_px=SIDE_PX)
    mixed = [rows for rows in seen if set(rows) & held_back and set(rows) - held_back]
    assert seen and not mixed


def test_it_says_when_a_kill_would_leave_all_that_was_done(backbone, training, tmp_path, monkeypatch):
    """Kept activations are noted now and then; a checkpoint is written now and then, and after each epoch."""
    monkeypatch.setattr(finetune, "SAVE_EVERY_S", -1.0)
    told = []
    settings = replace(SETTINGS, epochs=1)
    tune(backbone, training, settings, folder=tmp_path, side_px=SIDE_PX, on_progress=told.append)
    looks = [progress.saved for progress in told if progress.phase == "look"]
    assert looks.count(True) == len(looks) // 8 > 0
    assert {progress.saved for progress in told if progress.phase == "train"} == {True}


def test_a_kill_while_the_number_of_views_is_noted_leaves_no_half_note(
    backbone, training, tmp_path, monkeypatch
):
    class Killed(BaseException):
        """The process is gone."""

    def die(path, target):
        raise Killed

    settings = replace(SETTINGS, epochs=1)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", die)
        with pytest.raises(Killed):
            tune(backbone, training, settings, folder=tmp_path, side_px=SIDE_PX)
    assert not (tmp_path / "views").exists()
    assert len(tune(backbone, training, settings, folder=tmp_path, side_px=SIDE_PX).curve) == 2


def test_an_error_of_the_callback_ends_it_within_one_batch(backbone, training, tmp_path):
    calls = []

    def refuse(progress):
        calls.append(progress.phase)
        if progress.phase == "train":
            raise KeyError("stop")

    with pytest.raises(KeyError):
        tune(backbone, training, SETTINGS, folder=tmp_path, side_px=SIDE_PX, on_progress=refuse)
    assert calls.count("train") == 1
