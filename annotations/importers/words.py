"""Makes people's words fit for the database: PostgreSQL holds neither null characters nor half surrogates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from annotations.importers.base import ItemError, Words
from annotations.models.image import CAPTION_MAX_CHARS

TAG_MAX_CHARS = 200


def storable(words: Words, *, item: str) -> tuple[Words, list[ItemError]]:
    """The words as they will be stored, and what of them cannot be."""
    errors = []
    caption = None if words.caption is None else safe_text(words.caption)
    if caption is not None and len(caption) > CAPTION_MAX_CHARS:
        errors.append(
            ItemError(
                item,
                "caption_too_long",
                f"Expected a caption of at most {CAPTION_MAX_CHARS:,} characters, got {len(caption):,}. "
                "The picture was taken without it.",
            )
        )
        caption = None
    tags = []
    for tag in (safe_text(tag).strip() for tag in words.tags):
        if len(tag) > TAG_MAX_CHARS:
            errors.append(
                ItemError(
                    item,
                    "tag_too_long",
                    f"Expected tags of at most {TAG_MAX_CHARS} characters, got {len(tag)}: “{tag[:40]}…”.",
                )
            )
        elif tag:
            tags.append(tag)
    clean = replace(words, caption=caption, tags=tuple(tags), metadata=safe_value(words.metadata))
    return clean, errors


def safe_text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def safe_value(value: Any) -> Any:
    """JSON that PostgreSQL takes: the same, with safe text and null for numbers that are none."""
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Mapping):
        return {safe_text(str(key)): safe_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [safe_value(inner) for inner in value]
    if isinstance(value, float) and value != value:
        return None
    return None if value in (float("inf"), float("-inf")) else value
