"""Finds the images of a project that an import's table names without sending their bytes."""

from collections import defaultdict
from collections.abc import Sequence

from annotations.exporters.names import stem
from annotations.importers.base import ItemError, KnownImage, Offered, StagedFile, base_name
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.models import Image, Project
from annotations.selectors import arrays
from annotations.services import storage


def placed(project: Project, offered: Sequence[Offered]) -> tuple[list[StagedFile], list[ItemError]]:
    """What can land, in order, and what cannot. Two queries, however many images are named."""
    named = [one for one in offered if isinstance(one, KnownImage)]
    known = _Known(project, named) if named else None
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    for one in offered:
        found = known.find(one) if known and isinstance(one, KnownImage) else one
        if isinstance(found, StagedFile):
            files.append(found)
        elif isinstance(found, ItemError):
            errors.append(found)
    return files, errors


class _Known:
    def __init__(self, project: Project, named: Sequence[KnownImage]) -> None:
        images = Image.objects.filter(project=project)
        digests = {one.sha256 for one in named if one.sha256}
        alike = images.filter(arrays.among_texts("sha256", digests))
        self._by_sha256 = {
            sha256: (pk, deleted_at)
            for sha256, pk, deleted_at in alike.values_list("sha256", "pk", "deleted_at")
        }
        self._by_path: dict[str, list[int]] = defaultdict(list)
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._by_stem: dict[str, list[int]] = defaultdict(list)
        asked = {base_name(one.name) for one in named if one.name and one.sha256 not in self._by_sha256}
        names = {spelling for name in asked for spelling in (name, *_with_endings(name))}
        if names:
            alike = images.filter(arrays.among_texts("name", names), deleted_at=None)
            for pk, name, path in alike.order_by("pk").values_list("pk", "name", "path"):
                self._by_path[path or name].append(pk)
                self._by_name[name].append(pk)
                self._by_stem[stem(path or name)].append(pk)

    def find(self, one: KnownImage) -> StagedFile | ItemError:
        if one.sha256 in self._by_sha256:
            pk, deleted_at = self._by_sha256[one.sha256]
            return _in_trash(one) if deleted_at else _stored(one, pk)
        if not one.name or one.sha256:  # a picture with this name has other bytes than the row says
            return one.otherwise or _nowhere(one)
        found = self._by_path.get(one.name, [])
        if not found and "/" not in one.name:
            found = self._by_name.get(one.name, [])
        if not found and _with_endings(one.name):
            found = self._by_stem.get(one.name, [])
        if len(found) > 1:
            return ItemError(
                one.item,
                "ambiguous_name",
                f"{len(found):,} images of this project are called “{one.name[:100]}”. "
                "Write the folder before the name, or name the sha256.",
            )
        return _stored(one, found[0]) if found else one.otherwise or _nowhere(one)


def _with_endings(name: str) -> list[str]:
    """What a name without its ending may stand for: many formats name pictures so."""
    if name.lower().endswith(PICTURE_SUFFIXES):
        return []
    return [f"{name}{spelled}" for ending in PICTURE_SUFFIXES for spelled in (ending, ending.upper())]


def _stored(one: KnownImage, image_id: int) -> StagedFile:
    return StagedFile(one.name or one.sha256, f"{storage.STORED_IMAGE}{image_id}", one.words)


def _nowhere(one: KnownImage) -> ItemError:
    places = ["among the sent files", "in this project"]
    if storage.import_roots():
        places.insert(1, "on the server")
    where = f"{', '.join(places[:-1])} or {places[-1]}"
    return ItemError(
        one.item,
        "picture_not_found",
        f"There is no picture “{(one.name or one.sha256)[:100]}” {where}. Send it along, or correct the row.",
    )


def _in_trash(one: KnownImage) -> ItemError:
    return ItemError(
        one.item,
        "in_trash",
        f"“{(one.name or one.sha256)[:100]}” lies in the trash. Restore it, or send the picture again.",
    )
