"""Makes people's words fit for the database: PostgreSQL holds neither null characters nor half surrogates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotations.importers.base import ItemError, Words
from annotations.importers.suggested import Suggested
from annotations.models.image import CAPTION_MAX_CHARS

TAG_MAX_CHARS = 200
# Of metadata: lists and objects in one another.
MAX_DEPTH = 50


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
    metadata = words.metadata
    if metadata and _is_deeper(metadata, MAX_DEPTH):
        errors.append(
            ItemError(
                item,
                "metadata_too_deep",
                f"Expected at most {MAX_DEPTH} lists or objects in one another, got more. "
                "The picture was taken without its metadata.",
            )
        )
        metadata = {}
    tags, told = _short(words.tags, item)
    no, told_no = _short(words.no, item)
    disputed, told_disputed = _short(words.disputed, item)
    clean = replace(
        words,
        caption=caption,
        tags=tags,
        no=no,
        disputed=disputed,
        not_asked=_short(words.not_asked, item)[0],
        metadata=safe_value(metadata) if metadata else {},
        suggested=_safe_suggested(words.suggested),
    )
    return clean, [*errors, *told, *told_no, *told_disputed]


def _short(names: Sequence[str], item: str) -> tuple[tuple[str, ...], list[ItemError]]:
    """The names that a tag can have, and an error for each that is too long."""
    if not names:
        return (), []
    kept, errors = [], []
    for name in (safe_text(name).strip() for name in names):
        if len(name) > TAG_MAX_CHARS:
            errors.append(
                ItemError(
                    item,
                    "tag_too_long",
                    f"Expected tags of at most {TAG_MAX_CHARS} characters, got {len(name)}: “{name[:40]}…”.",
                )
            )
        elif name:
            kept.append(name)
    return tuple(kept), errors


def _safe_suggested(said: Suggested | None) -> Suggested | None:
    """Names that no tag can have are unknown to the vocabulary anyway: cut, they are told as such."""
    if said is None:
        return None
    scores = {safe_text(tag)[:TAG_MAX_CHARS]: score for tag, score in said.scores.items()}
    return Suggested(safe_text(said.model), scores)


def _is_deeper(value: Any, depth: int) -> bool:
    """Level by level, since what nests without end would end this function too."""
    level = [value]
    while level and depth >= 0:
        inner = [
            child for outer in level for child in (outer.values() if isinstance(outer, Mapping) else outer)
        ]
        level = [child for child in inner if isinstance(child, Mapping | list | tuple)]
        depth -= 1
    return bool(level)


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
