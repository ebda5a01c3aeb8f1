"""Which device is taken, and what happens where its memory runs out."""

import weakref

import numpy as np
import pytest
import torch

from mlmodels.core import devices
from mlmodels.core.errors import DeviceError
from mlmodels.core.vision.engines import TorchEngine


class TestChosen:
    def test_none_is_the_best_there_is(self):
        assert devices.chosen("") == devices.best()

    @pytest.mark.parametrize("asked", ["cuda:99", "tpu", "cuda:", "cuda:first", "cpu:1", "CPU", ":0"])
    def test_what_torch_does_not_see_is_refused_with_what_it_sees(self, asked):
        with pytest.raises(DeviceError, match="expected one that torch sees here") as caught:
            devices.chosen(asked)
        assert repr(asked) in str(caught.value)
        assert "cpu" in caught.value.seen

    def test_several_gpus_are_told_apart(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        assert devices.chosen("cuda:1") == "cuda:1"
        with pytest.raises(DeviceError, match=r"\(cpu, cuda:0, cuda:1\), got 'cuda:2'"):
            devices.chosen("cuda:2")

    def test_a_torch_without_cuda_says_so(self, monkeypatch):
        monkeypatch.setattr(torch.version, "cuda", None)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
        with pytest.raises(DeviceError, match="built without CUDA"):
            devices.chosen("cuda")


def full_above(most):
    def run(piece):
        if len(piece) > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 2 * piece

    return run


class TestRoom:
    def test_it_halves_until_it_fits_and_says_so_each_time(self):
        room = devices.Room("cuda:0", 16)
        inputs = torch.arange(20.0)
        assert room.through(full_above(4), inputs).tolist() == (2 * inputs).tolist()
        assert room.images == 4
        assert room.notes == [
            "cuda:0 ran out of memory at 16 images at once: 8 from now on.",
            "cuda:0 ran out of memory at 8 images at once: 4 from now on.",
        ]

    def test_the_memory_of_the_cpu_is_memory_too(self):
        """Asked for more than any machine has, torch's own allocator says so in its own way."""

        def run(piece):
            if len(piece) > 4:
                torch.empty(1 << 50, dtype=torch.uint8)
            return 2 * piece

        room = devices.Room("cpu", 8)
        assert room.through(run, torch.ones(8)).tolist() == [2.0] * 8
        assert room.notes == ["cpu ran out of memory at 8 images at once: 4 from now on."]

    def test_other_errors_are_not_tried_again(self):
        calls = []

        def work():
            calls.append(1)
            raise RuntimeError("sizes do not match")

        with pytest.raises(RuntimeError, match="do not match"):
            devices.Room("cpu", 8).attempt(work, 8)
        assert len(calls) == 1

    def test_fewer_images_than_there_is_room_for_are_halved_from_their_number(self):
        room = devices.Room("cuda:0", 16)
        room.through(full_above(2), torch.arange(6.0))
        assert room.notes[0].startswith("cuda:0 ran out of memory at 6 images at once: 3")

    def test_one_image_that_is_too_much_is_an_error(self):
        room = devices.Room("cuda:0", 2)
        with pytest.raises(torch.OutOfMemoryError):
            room.through(full_above(0), torch.arange(4.0))
        assert room.images == 1

    def test_what_a_failed_attempt_made_is_free_before_the_next(self):
        room, made = devices.Room("cuda:0", 2), []

        def work():
            assert not [one for one in made if one() is not None]
            large = torch.ones(3)
            made.append(weakref.ref(large))
            if len(made) == 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return 1

        assert room.attempt(work, 2) == 1


def test_features_are_computed_in_smaller_batches_where_memory_is_small():
    class Doubling(torch.nn.Module):
        def forward(self, pixels):
            doubled = full_above(3)(pixels).flatten(1)
            return doubled, doubled[:, :2]

    pixels = np.random.default_rng(0).random((8, 3, 2, 2)).astype(np.float32)
    features, found = TorchEngine(Doubling(), device="cpu").run(pixels)
    assert features == pytest.approx(2 * pixels.reshape(8, -1))
    assert found.shape == (8, 2)
