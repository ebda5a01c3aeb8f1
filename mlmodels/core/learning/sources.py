"""Where training's batches come from: kept activations where the backbone can be cut, else pictures each time."""

import copy
import hashlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mlmodels.core.devices import Room
from mlmodels.core.files import write_whole
from mlmodels.core.learning import augmentation, frozen, splits, stages
from mlmodels.core.learning.activations import Activations, views_that_fit
from mlmodels.core.learning.ranks import Ranks
from mlmodels.core.learning.tuning import LEAST_IMAGES, Pause, TuningError, TuningSet, TuningSettings
from mlmodels.core.vision.backbones import BackboneSpec

HELD_BACK_SHARE = 7
MOST_HELD_BACK = 500
PLAIN = 0

# Batches done, batches in all, seconds left, and whether a kill leaves them all.
Told = Callable[[int, int, float, bool], None]


def held_back_rows(image_ids: Sequence[int], *, seed: int) -> list[int]:
    """Rows of the images that training stops by: a seventh by a stable hash, at most 500.

    Raises:
        TuningError: there are too few images to hold any back.

    Example:
        >>> len(held_back_rows(range(70), seed=0)), len(held_back_rows(range(7000), seed=0))
        (10, 500)
    """
    if len(image_ids) < LEAST_IMAGES:
        raise TuningError(f"expected at least {LEAST_IMAGES} images to tune on, got {len(image_ids)}")
    wanted = min(MOST_HELD_BACK, len(image_ids) // HELD_BACK_SHARE)
    return [int(row) for row in splits.choose(list(image_ids), wanted, seed=seed)]


def probe_of(side_px: int) -> Tensor:
    """Two pictures of noise [2, 3, side, side], to try a cut on; the same ones each time."""
    return torch.rand(2, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))


def views_to_keep(settings: TuningSettings, *, images: int, shape: Sequence[int], folder: Path) -> int:
    """How many views of what the frozen part gives are kept beside the plain one; 0 where nothing is kept.

    Args:
        settings: with the views that are wanted, and the bound on what is kept.
        images: N.
        shape: of one activation.
        folder: that they would lie in, or below.

    Example:
        >>> import tempfile
        >>> settings = TuningSettings(views=3, cache_bytes=6_000)
        >>> views_to_keep(settings, images=10, shape=(100,), folder=Path(tempfile.gettempdir()))
        2
    """
    return views_that_fit(
        wanted=settings.views,
        images=images,
        numbers=math.prod(shape),
        cache_bytes=settings.cache_bytes,
        folder=folder,
    )


class Source:
    """Batches by row, plain or varied, as what the trained part is given. `back` is that part of the backbone."""

    def __init__(
        self,
        model: nn.Module,
        trained: set[str],
        training: TuningSet,
        spec: BackboneSpec,
        settings: TuningSettings,
        folder: Path,
        side_px: int,
        room: Room,
        ranks: Ranks,
    ) -> None:
        """Find out whether the backbone can be cut, and how much of the frozen part can be kept."""
        self._training, self._spec, self._settings = training, spec, settings
        self._folder, self._room, self._device, self._ranks = folder, room, room.device, ranks
        probe = probe_of(side_px).to(room.device)
        parts = stages.cut_in_two(model, trained, probe)
        self.back = parts[1] if parts else copy.deepcopy(model)
        self._front: frozen.Run | None = None
        self._kept: Activations | None = None
        self._shape: tuple[int, ...] = ()
        if parts:
            passes = len(training) * (1 + settings.views)
            self._front = frozen.runner(parts[0], probe, passes=passes if ranks.is_first else 0)
            self._shape = tuple(self._front(probe).shape[1:])

    def prepare(self, told: Told) -> None:
        """Run the frozen part over all images, once, in the first process; the others wait for the file."""
        if self._front is None:
            return
        images = len(self._training)
        views = views_to_keep(self._settings, images=images, shape=self._shape, folder=self._folder)
        views = self._ranks.share(self._views_kept(views) if self._ranks.is_first else 0)
        if not views:
            return
        stop = self._fill(views, images, told) if self._ranks.is_first else None
        if self._ranks.share(stop is not None):
            raise stop or Pause
        if not self._ranks.is_first:
            self._kept = self._open(views)

    def _fill(self, views: int, images: int, told: Told) -> Exception | None:
        """Compute what is kept; answers what ended it early, so that no process waits for one that is gone."""
        try:
            self._kept = kept = self._open(views)
            plan = [
                (view, list(range(at, min(at + self._settings.batch, images))))
                for view in range(1 + views)
                for at in range(0, images, self._settings.batch)
            ]
            began, before = time.monotonic(), kept.done

            def tell(done: int) -> None:
                each_s = (time.monotonic() - began) / max(1, done - before)
                told(done, len(plan), each_s * (len(plan) - done), kept.noted == done)

            kept.fill(self._look, plan, tell)
        except Exception as error:
            return error
        return None

    def _views_kept(self, views: int) -> int:
        """As many as an earlier call of the same run decided for: free space changes, the curve must not."""
        note = self._folder / "views"
        if note.exists():
            return int(note.read_text())
        write_whole(note, str(views).encode())
        return views

    def _open(self, views: int) -> Activations:
        images = len(self._training)
        return Activations(
            self._folder, images=images, views=views, shape=self._shape, writes=self._ranks.is_first
        )

    def plain(self, rows: list[int]) -> Tensor:
        """The images as they are."""
        if self._kept is not None:
            return self._kept.read(rows, PLAIN).to(self._device)
        return self._through(self._pixels(rows))

    def varied(self, rows: list[int], epoch: int) -> Tensor:
        """Variants of the images: one of those kept, by turns, or new ones."""
        if self._kept is not None:
            return self._kept.read(rows, 1 + (epoch - 1) % self._kept.views).to(self._device)
        return self._through(self._varied_pixels(rows))

    def _look(self, rows: list[int], view: int) -> Tensor:
        if view == PLAIN:
            return self._through(self._pixels(rows))
        state = torch.get_rng_state()
        torch.manual_seed(_seed(self._settings.seed, view, rows[0]))
        try:
            return self._through(self._varied_pixels(rows))
        finally:
            torch.set_rng_state(state)

    def _pixels(self, rows: list[int]) -> Tensor:
        pictures = self._training.pictures(rows).to(self._device)
        return augmentation.standardised(pictures, self._spec.mean, self._spec.std)

    def _varied_pixels(self, rows: list[int]) -> Tensor:
        pictures = self._training.pictures(rows).to(self._device)
        settings = self._settings
        varied = augmentation.varied(
            pictures, operations=settings.augmentations, magnitude=settings.magnitude
        )
        return augmentation.standardised(varied, self._spec.mean, self._spec.std)

    def _through(self, pixels: Tensor) -> Tensor:
        if self._front is not None:
            return self._room.through(self._front, pixels)
        return pixels.contiguous(memory_format=torch.channels_last)


def _seed(seed: int, view: int, row: int) -> int:
    digest = hashlib.blake2b(f"{seed}:{view}:{row}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
