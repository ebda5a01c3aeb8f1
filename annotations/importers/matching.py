"""Brings pictures and captions that arrived apart together by file name. Pure: no database, no storage."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from annotations.importers.base import ItemError, StagedFile, Words, base_name


def match(
    files: Sequence[StagedFile], words: Mapping[str, Words], *, report_unmatched: bool = True
) -> tuple[list[StagedFile], list[ItemError]]:
    """Give each file its words: by its whole path first, then by its base name where that is unique."""
    by_path: dict[str, list[int]] = defaultdict(list)
    by_base: dict[str, list[int]] = defaultdict(list)
    for index, file in enumerate(files):
        by_path[file.name].append(index)
        by_base[base_name(file.name)].append(index)

    matched = list(files)
    errors: list[ItemError] = []
    exact = {index for name in words if name in by_path for index in by_path[name]}
    for name, said in words.items():
        candidates = by_path[name] if name in by_path else by_base.get(base_name(name), [])
        if name not in by_path:
            candidates = [index for index in candidates if index not in exact]
            if "/" in name:  # a folder was named: the base name alone may only stand for a file without one
                candidates = [index for index in candidates if "/" not in files[index].name]
        if len(candidates) == 1:
            matched[candidates[0]] = files[candidates[0]]._replace(words=said)
        elif candidates:
            errors.append(_ambiguous(name, [files[index].name for index in candidates]))
        elif report_unmatched:
            errors.append(_without_file(name))
    return matched, errors


def _without_file(name: str) -> ItemError:
    return ItemError(
        name,
        "caption_without_file",
        f"Expected a file named “{name}” in this import, got none. Send the picture, or correct the name.",
    )


def _ambiguous(name: str, paths: Sequence[str]) -> ItemError:
    shown = ", ".join(f"“{path}”" for path in paths[:3])
    return ItemError(
        name,
        "caption_ambiguous",
        f"“{name}” names {len(paths)} files ({shown}). Write the folder before the name.",
    )
