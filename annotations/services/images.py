"""Copies of pictures for the screen, made from the stored bytes when they are first asked for.

How images come in stands in `imports`, how people change them in `image_edits`.
"""

from annotations import pictures
from annotations.errors import NotFound
from annotations.services import storage


def rendition_key(project_id: int, *, sha256: str, original_key: str, size_px: int | None) -> str:
    """The key of a JPEG copy; None stands for full size. Copies carry neither position nor other EXIF."""
    key = storage.rendition_key(project_id, sha256, size_px or storage.DISPLAY)
    if not storage.exists(key):
        try:
            original = storage.read(original_key)
        except OSError as error:
            raise NotFound("The picture's file is missing from the storage.", code="file_missing") from error
        storage.put(key, pictures.rendition(original, size_px=size_px))
    return key
