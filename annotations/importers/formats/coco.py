"""COCO: instances, labels and captions. An instance of a category is a tag of its image; boxes are passed over."""

from collections.abc import Generator, Iterator
from typing import Any

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off, not_an_object
from annotations.importers.formats import base
from annotations.importers.formats.base import Sent, part, text, undeclared
from annotations.importers.formats.spool import Spool
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements
from annotations.importers.tables.base import OpenedTable, Row, place

_GEOMETRY = frozenset({"segmentation", "bbox", "keypoints", "segments_info"})
_CATEGORIES, _IMAGES, _ANNOTATIONS = (("categories", ANY), ("images", ANY), ("annotations", ANY))


def opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file))


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    """Images, annotations and categories may come in any order, and an image's annotations anywhere among the rest."""
    with Spool() as spool:
        names = yield from _categories(sent, file)
        yield from _gathered(sent, file, spool, names)
        for key in spool.strangers():
            yield part(
                file.name,
                "unknown_image",
                f"An annotation is about image {key[:40]}, which it does not name.",
            )
        for number, cells, tags, _ in spool.images():
            yield base.row(number, **cells, tags=tags)


def _categories(sent: Sent, file: StagedFile) -> Generator[ItemError, None, dict[str, str]]:
    """Returns the names by id; that the document breaks off is told when its images are read."""
    names: dict[str, str] = {}
    try:
        with sent.opened(file) as stream:
            for _, category in elements(stream, (_CATEGORIES,)):
                if isinstance(category, dict) and text(category.get("name")):
                    names[str(category.get("id"))] = category["name"]
                else:
                    yield part(
                        file.name, "bad_category", "A category has no name. Its annotations are left out."
                    )
    except JSON_ERRORS:
        pass
    return names


def _gathered(sent: Sent, file: StagedFile, spool: Spool, names: dict[str, str]) -> Iterator[ItemError]:
    split = base.split_of(file.name)
    images = annotations = 0
    try:
        with sent.opened(file) as stream:
            for path, value in elements(stream, (_IMAGES, _ANNOTATIONS), without=_GEOMETRY):
                if path[0] == "images":
                    images += 1
                    yield from _add(sent, file, spool, images, value, split)
                else:
                    annotations += 1
                    item = place(file.name, annotations, unit="annotation")
                    yield from _say(spool, names, value, item)
    except JSON_ERRORS as error:
        yield broken_off(file.name, error)


def _add(
    sent: Sent, file: StagedFile, spool: Spool, number: int, image: Any, split: str
) -> Iterator[ItemError]:
    item = place(file.name, number, unit="image")
    if not isinstance(image, dict):
        yield not_an_object(item, image)
        return
    path = text(image.get("file_name")) or ""
    url = text(image.get("coco_url")) or text(image.get("flickr_url"))
    located = sent.located(path, file.name, split)
    cells = {
        "path": located,
        "url": url if located not in sent.by_name else None,
        "caption": text(image.get("caption")),
        "sha256": base.digest(image.get("sha256")),
        "split": split,
    }
    if not spool.add(str(image.get("id")), number, cells):
        yield ItemError(
            item, "repeated_image", f"Another image before it has the id {str(image.get('id'))[:40]}."
        )


def _say(spool: Spool, names: dict[str, str], annotation: Any, item: str) -> Iterator[ItemError]:
    if not isinstance(annotation, dict):
        yield not_an_object(item, annotation, is_part=True)
        return
    key = str(annotation.get("image_id"))
    category = annotation.get("category_id")
    if category is None and text(annotation.get("caption")):
        spool.describe(key, annotation["caption"])
    elif str(category) in names:
        spool.say(key, names[str(category)])
    else:
        yield undeclared(item, category)
