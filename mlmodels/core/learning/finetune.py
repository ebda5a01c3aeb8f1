"""Fine-tunes the last stages of a backbone, or all of it, on people's answers; stops early, survives a kill.

Everything is decided by the seed: a run that goes on from a checkpoint follows the curve that it would have had. What
becomes of the tuned weights is decided elsewhere, by the gate.
"""

import copy
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mlmodels.core.devices import Room, ran_out_of_memory
from mlmodels.core.evaluation.ranking import macro_average_precision
from mlmodels.core.learning import augmentation, checkpoints, losses, probing, stages
from mlmodels.core.learning.ranks import Ranks
from mlmodels.core.learning.sources import Source, held_back_rows
from mlmodels.core.learning.tuning import (
    Epoch,
    OnProgress,
    Pause,
    Progress,
    Tuned,
    TuningError,
    TuningSet,
    TuningSettings,
)
from mlmodels.core.vision.backbones import Backbone

SAVE_EVERY_S = 60.0
_LOSSES = {"asymmetric": losses.asymmetric, "binary": losses.binary_cross_entropy}


def tune(
    backbone: Backbone,
    training: TuningSet,
    settings: TuningSettings,
    *,
    folder: Path,
    side_px: int,
    device: str = "cpu",
    on_progress: OnProgress = lambda _: None,
    ranks: Ranks | None = None,
) -> Tuned:
    """Train from the checkpoint in `folder`, or from the start, to the end.

    The backbone is left as it was. Where it can be cut in front of the first trained stage, the frozen part runs once
    and what it gives is kept in `folder` (see `activations`); else it runs with every batch.

    Args:
        backbone: what to start from.
        training: N images. A stable seventh of them, at most 500, is held back to stop by.
        settings: see TuningSettings; must be the same when a run goes on.
        folder: of this run alone; the caller removes it.
        side_px: of the square pictures, as the extractor takes them.
        device: "cpu", "cuda", "cuda:1" or "mps".
        on_progress: called after every batch, in the first process. What it raises ends the call; after a Pause the
            checkpoint is written first.
        ranks: this process among several that train together, each with all images.

    Raises:
        TuningError: too few images, no stage of that number, or the device's memory is too small.
        OSError: a checkpoint could not be written; the one before is whole.
    """
    with torch.random.fork_rng(devices=[device] if device.startswith("cuda") else []):
        try:
            work = _Work(backbone, training, settings, folder, side_px, device, on_progress, ranks or Ranks())
            return work.run()
        except RuntimeError as error:
            if not ran_out_of_memory(error):
                raise
            raise TuningError(
                f"{device} ran out of memory; tune fewer stages, ask for a smaller batch, or use another device"
            ) from error


class _Work:
    """One call of `tune`: the model, its running average, the optimiser, and where they stand."""

    def __init__(
        self,
        backbone: Backbone,
        training: TuningSet,
        settings: TuningSettings,
        folder: Path,
        side_px: int,
        device: str,
        on_progress: OnProgress,
        ranks: Ranks,
    ) -> None:
        self.settings, self.folder, self.ranks, self.device = settings, folder, ranks, device
        self.room = Room(device, settings.batch)
        self.on_progress = on_progress
        self.cost = _LOSSES[settings.loss]
        self.truth = torch.from_numpy(np.asarray(training.truth, dtype=np.int8)).to(device)
        self.held_back = held_back_rows(training.image_ids, seed=settings.seed)
        self.rows = sorted(set(range(len(training))) - set(self.held_back))
        wrapped: Any = backbone.module
        self.start = copy.deepcopy(wrapped.model).to(device).eval()
        self.trained = stages.trained_names(self.start, settings.stages)
        spec = backbone.spec
        self.source = Source(
            self.start, self.trained, training, spec, settings, folder, side_px, self.room, ranks
        )
        self.model = stages.Tagging(self.source.back, spec.feature_dim, self.truth.shape[1]).to(device)
        stages.freeze(self.model.backbone, self.trained)
        self.curve: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0
        self.epoch, self.step, self.loss_sum = 1, 0, 0.0
        self.saved_at = self.epoch_began = time.monotonic()
        self.step_s: float | None = None

    def run(self) -> Tuned:
        self.source.prepare(self._looked)
        state = self.ranks.share(checkpoints.load(self.folder) if self.ranks.is_first else None)
        if state is None:
            self._probe()
        self._make_optimizer()
        if state is not None:
            self._restore(state)
        elif self.ranks.is_first:
            self._save()
        while self.epoch <= self.settings.epochs and not self.ranks.share(self._is_stale()):
            self._one_epoch()
        return self._result()

    def _probe(self) -> None:
        """Epoch 0: the best linear layer over the frozen backbone."""
        began = time.monotonic()
        features, held_back = self._features(self.rows), self._features(self.held_back)
        truth = self.truth[self.held_back].cpu().numpy()

        def judge(layer: probing.Layer) -> float:
            return _average_precision(truth, layer(held_back).cpu().numpy())

        layer = probing.fit(features, self.truth[self.rows], self.cost, judge)
        with torch.no_grad():
            self.model.tags.weight.copy_(layer.weight)
            self.model.tags.bias.copy_(layer.bias)
            self.model.mean.copy_(layer.mean)
            self.model.scale.copy_(layer.scale)
        point = self._judged(layer(held_back), 0, math.nan, time.monotonic() - began)
        self.curve.append(point)
        self.best = self._weights(self.model)

    def _make_optimizer(self) -> None:
        trained = [parameter for parameter in self.model.backbone.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "base": self.settings.rate},
            {"params": [p for p in trained if p.ndim < 2], "base": self.settings.rate, "weight_decay": 0.0},
            {"params": list(self.model.tags.parameters()), "base": self.settings.rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=self.settings.weight_decay)
        self.average = AveragedModel(self.model, multi_avg_fn=_averaging(self.settings.average))
        self.parallel: nn.Module = self.model
        if self.ranks.world > 1:
            self.parallel = nn.parallel.DistributedDataParallel(self.model)
        self.batches = max(1, len(self.rows) // self.settings.batch)

    def _one_epoch(self) -> None:
        if not self.step:
            torch.manual_seed(_seed(self.settings.seed, self.epoch))
            self.loss_sum, self.epoch_began = 0.0, time.monotonic()
        order = self._order()
        self.model.train()
        while self.step < self.batches:
            at = self.step * self.settings.batch
            self.loss_sum += self._train_on(order[at : at + self.settings.batch])
            self.step += 1
            self._after_step()
        self._end_epoch()

    def _order(self) -> list[int]:
        generator = torch.Generator().manual_seed(_seed(self.settings.seed, self.epoch))
        return [self.rows[at] for at in torch.randperm(len(self.rows), generator=generator).tolist()]

    def _train_on(self, rows: list[int]) -> float:
        began = time.monotonic()
        mine = self.ranks.mine(rows)
        inputs = self.source.varied(mine, self.epoch)
        inputs, truth = augmentation.mixed(inputs, self.truth[mine], alpha=self.settings.mixup)
        self._set_rate()
        loss = self._descend(inputs, truth)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.step_s = _smoothed(self.step_s, time.monotonic() - began)
        return loss

    def _descend(self, inputs: Tensor, truth: Tensor) -> float:
        """Gradients of one batch, in as many pieces as memory wants."""
        if self.ranks.world > 1:  # the others wait in the middle of this step: it can't be tried again
            return self._accumulate(inputs, truth)
        return self.room.attempt(lambda: self._accumulate(inputs, truth), len(inputs))

    def _accumulate(self, inputs: Tensor, truth: Tensor) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        total, known = 0.0, (truth >= 0).sum().clamp(min=1)
        pieces = list(zip(inputs.split(self.room.images), truth.split(self.room.images), strict=True))
        for place, (piece, answers) in enumerate(pieces):
            is_last = place == len(pieces) - 1
            alone: AbstractContextManager[Any] = nullcontext()
            if isinstance(self.parallel, nn.parallel.DistributedDataParallel) and not is_last:
                alone = self.parallel.no_sync()
            with alone:
                with self._precision():
                    logits = self.parallel(piece)
                # Each piece by its share of the known pairs: the pieces' gradients add up to the batch's.
                loss = self.cost(logits.float(), answers) * ((answers >= 0).sum() / known)
                loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _precision(self) -> AbstractContextManager[Any]:
        """bfloat16 where it pays: on GPUs that compute it, on CPUs with AMX (measured there: half the time a step)."""
        kind = self.device.partition(":")[0]
        if kind == "cuda":  # GPUs before Ampere only emulate it, slower than float32
            pays = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            pays = kind == "cpu" and _has_amx()
        return torch.autocast(kind, dtype=torch.bfloat16) if pays else nullcontext()

    def _set_rate(self) -> None:
        """Linear warm-up, then a cosine down to nothing (I. Loshchilov, F. Hutter, 2017)."""
        total = self.settings.epochs * self.batches
        factor = rate_factor((self.epoch - 1) * self.batches + self.step, total, self.settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * factor

    def _after_step(self) -> None:
        left = (self.settings.epochs - self.epoch + 1) * self.batches - self.step
        done = self.settings.epochs * self.batches - left
        seconds = None if self.step_s is None else left * self.step_s
        saves = self.ranks.is_first and time.monotonic() - self.saved_at > SAVE_EVERY_S
        if saves:
            self._save()
        self._tell(Progress("train", done, self.settings.epochs * self.batches, seconds), saved=saves)

    def _looked(self, done: int, total: int, left_s: float, saved: bool) -> None:
        """Only the first process looks: the others learn how it went when it is done."""
        self.on_progress(Progress("look", done, total, left_s, notes=tuple(self.room.notes), saved=saved))

    def _tell(self, progress: Progress, *, saved: bool = False) -> None:
        """Ask whether to go on, in the first process; all of them stop together."""
        stop: Exception | None = None
        if self.ranks.is_first:
            full = Progress(
                progress.phase,
                progress.done,
                progress.total,
                progress.left_s,
                tuple(self.curve),
                tuple(self.room.notes),
                saved,
            )
            try:
                self.on_progress(full)
            except Pause as pause:
                if progress.phase == "train" and not saved:
                    self._save()
                stop = pause
            except Exception as error:  # whatever it is, the other processes must not wait for this one
                stop = error
        if self.ranks.share(stop is not None):
            raise stop or Pause

    def _end_epoch(self) -> None:
        scores = self._scores(self.average.module, self.held_back)
        seconds = time.monotonic() - self.epoch_began
        point = self._judged(scores, self.epoch, self.loss_sum / self.batches, seconds)
        if _is_better(point, self.curve[self.best_epoch]):
            self.best, self.best_epoch = self._weights(self.average.module), self.epoch
        self.curve.append(point)
        self.epoch, self.step = self.epoch + 1, 0
        if self.ranks.is_first:
            self._save()
        done = (self.epoch - 1) * self.batches
        left = None if self.step_s is None else self.step_s * (self.settings.epochs * self.batches - done)
        self._tell(Progress("train", done, self.settings.epochs * self.batches, left), saved=True)

    def _is_stale(self) -> bool:
        return len(self.curve) - 1 - self.best_epoch >= self.settings.patience

    def _judged(self, logits: Tensor, epoch: int, loss: float, seconds: float) -> Epoch:
        truth = self.truth[self.held_back]
        cost = float(self.cost(logits.float(), truth))
        precision = _average_precision(truth.cpu().numpy(), logits.float().cpu().numpy())
        return Epoch(epoch, loss, cost, precision, seconds)

    @torch.no_grad()
    def _scores(self, model: nn.Module, rows: list[int]) -> Tensor:
        model.eval()
        return self._through(model, rows)

    @torch.no_grad()
    def _features(self, rows: list[int]) -> Tensor:
        self.model.eval()
        return self._through(self.model.features, rows)

    def _through(self, run: Callable[[Tensor], Tensor], rows: list[int]) -> Tensor:
        parts = [rows[at : at + self.settings.batch] for at in range(0, len(rows), self.settings.batch)]
        return torch.cat([self.room.through(run, self.source.plain(part)).float() for part in parts])

    def _weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The trained parameters of the backbone, by the names that they have in the whole model."""
        found = dict(model.backbone.named_parameters())  # type: ignore[union-attr]
        return {name: found[name].detach().cpu().clone() for name in sorted(self.trained)}

    def _save(self) -> None:
        checkpoints.save(
            self.folder,
            {
                "settings": asdict(self.settings),
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "position": [self.epoch, self.step, self.room.images],
                "loss_sum": self.loss_sum,
                "curve": [list(asdict(point).values()) for point in self.curve],
                "best": self.best,
                "best_epoch": self.best_epoch,
                "notes": list(self.room.notes),
            },
        )
        self.saved_at = time.monotonic()

    def _restore(self, state: dict[str, Any]) -> None:
        if state["settings"] != asdict(self.settings):
            raise TuningError("expected the settings that this run began with, got others; start a new run")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.epoch, self.step, self.room.images = state["position"]
        self.loss_sum = state["loss_sum"]
        self.curve = [Epoch(int(values[0]), *values[1:]) for values in state["curve"]]
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.room.notes = list(state["notes"])

    def _result(self) -> Tuned:
        state = {name: tensor.cpu() for name, tensor in self.start.state_dict().items()} | self.best
        count = sum(tensor.numel() for tensor in self.best.values())
        return Tuned(state, tuple(self.curve), self.best_epoch, count, tuple(self.room.notes))


def rate_factor(step: int, total: int, warm_up: float) -> float:
    """The share of the learning rate at a step: up in a line over the first `warm_up` of all, down in a cosine.

    Example:
        >>> [round(rate_factor(step, 10, 0.2), 2) for step in (0, 1, 2, 6, 10)]
        [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    warm = max(1, round(total * warm_up))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm))))


def _averaging(most: float) -> Any:
    """A running mean of the weights whose memory grows with the steps, so that the start is soon forgotten."""

    @torch.no_grad()
    def average(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        keep = min(most, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(averaged, current, 1 - keep)

    return average


def _is_better(point: Epoch, best: Epoch) -> bool:
    """By average precision; where that is the same, such as a perfect one, by the loss."""
    return (point.average_precision, -point.held_back_loss) > (best.average_precision, -best.held_back_loss)


def _average_precision(truth: NDArray[np.int8], scores: NDArray[np.float32]) -> float:
    value = macro_average_precision(truth, scores, minimum_yes=1)
    return value if math.isfinite(value) else 0.0


def _smoothed(before: float | None, seconds: float) -> float:
    return seconds if before is None else 0.9 * before + 0.1 * seconds


def _has_amx() -> bool:
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def _seed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch) % 2**63
