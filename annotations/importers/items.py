"""Items of a JSON body: each names its picture by a server path or an address, with words and suggestions."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.errors import BadInput, Refused
from annotations.importers import folder, places
from annotations.importers.base import Batch, ItemError, StagedFile
from annotations.importers.captions import words_from_object


def read_items(items: Sequence[Any]) -> Batch:
    """One that cannot be had becomes an error with its name, the rest land."""
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    for position, item in enumerate(items):
        try:
            found = _read(item, f"items[{position}]")
        except (BadInput, Refused) as error:
            found = ItemError(_name(item, position), error.code, error.message)
        if isinstance(found, StagedFile):
            files.append(found)
        else:
            errors.append(found)
    return Batch(files=tuple(files), errors=tuple(errors))


def _read(item: object, place: str) -> StagedFile | ItemError:
    if not isinstance(item, Mapping):
        raise BadInput(f"{place}: expected an object, got {type(item).__name__}.", code="bad_item")
    path, url = item.get("path"), item.get("url")
    if isinstance(path, str) and path:
        return folder.server_file(path, words_from_object(item, item=place), item=path)
    if isinstance(url, str) and url:
        name = item.get("name")
        words = words_from_object(item, item=place)
        return places.address(url, words, item=url, name=name if isinstance(name, str) else "")
    keys = ", ".join(sorted(map(str, item))) or "nothing"
    raise BadInput(
        f"{place}: expected a server file under `path` or an address under `url`, got {keys[:200]}.",
        code="bad_item",
    )


def _name(item: object, position: int) -> str:
    """As the sender named it: by path or address, else by its place in the list."""
    if isinstance(item, Mapping):
        for name in (item.get("path"), item.get("url")):
            if isinstance(name, str) and name:
                return name[:1_000]
    return f"items[{position}]"
