"""Images that look alike. Whoever keeps features answers with a source; without one no image is like another."""

from collections.abc import Callable

# Project, image, limit: ids of the nearest images, nearest first, without the image itself.
Source = Callable[[int, int, int], list[int]]
_sources: list[Source] = []


def answer_with(source: Source) -> None:
    """Register the source; the last one answers."""
    _sources.append(source)


def nearest(project_id: int, image_id: int, *, limit: int) -> list[int]:
    return _sources[-1](project_id, image_id, limit) if _sources else []
