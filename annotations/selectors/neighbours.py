"""Images that look alike. Whoever keeps features answers with a source; without one no image is like another."""

from collections.abc import Callable, Sequence

# Project, image, limit: ids of the nearest images, nearest first, without the image itself.
Source = Callable[[int, int, int], list[int]]
# Project, an id: the id up to which every image after that one has been looked at for its feature.
LookedTo = Callable[[int, int], int]
# Project, pairs of ids: the cosine distance of each pair's features, in [0, 2]; None where one of them has none.
Distances = Callable[[int, Sequence[tuple[int, int]]], list[float | None]]
_sources: list[Source] = []
_measures: list[tuple[LookedTo, Distances]] = []


def answer_with(source: Source) -> None:
    """Register the source; the last one answers."""
    _sources.append(source)


def measure_with(looked_to: LookedTo, distances: Distances) -> None:
    """Register who measures pairs; the last one answers."""
    _measures.append((looked_to, distances))


def nearest(project_id: int, image_id: int, *, limit: int) -> list[int]:
    return _sources[-1](project_id, image_id, limit) if _sources else []


def looked_to(project_id: int, *, after_id: int) -> int:
    """The id up to which features are known; `after_id` where nobody keeps any."""
    return _measures[-1][0](project_id, after_id) if _measures else after_id


def distances(project_id: int, pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    return _measures[-1][1](project_id, pairs) if _measures else [None] * len(pairs)
