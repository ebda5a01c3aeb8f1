"""Makes people's words fit for the database: PostgreSQL holds neither null characters nor half surrogates."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.importers.base import ItemError, Words
from annotations.importers.suggested import Suggested
from annotations.models.image import CAPTION_MAX_CHARS

TAG_MAX_CHARS = 200
# Of metadata: lists and objects in one another.
MAX_DEPTH = 50


def storable(words: Words, *, item: str) -> tuple[Words, list[ItemError]]:
    """The words as they will be stored, and what of them cannot be."""
    if _is_storable(words):
        return words, []
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
    clean = words._replace(
        caption=caption,
        tags=tags,
        no=no,
        disputed=disputed,
        not_asked=_short(words.not_asked, item)[0],
        metadata=safe_value(metadata) if metadata else {},
        suggested=_safe_suggested(words.suggested),
    )
    return clean, [*errors, *told, *told_no, *told_disputed]


def _is_storable(words: Words) -> bool:
    """Whether nothing has to be looked at more closely. Most words are so, and a table brings a million."""
    caption = words.caption
    return (
        (caption is None or (len(caption) <= CAPTION_MAX_CHARS and caption.isprintable()))
        and not words.metadata
        and all(map(_is_name, words.tags))
        and all(map(_is_name, words.no))
        and all(map(_is_name, words.disputed))
        and all(map(_is_name, words.not_asked))
        and (words.suggested is None or _is_plain(words.suggested))
    )


def _is_name(text: str) -> bool:
    # What PostgreSQL does not hold is not printable either.
    return 0 < len(text) <= TAG_MAX_CHARS and text.isprintable() and text == text.strip()


def _is_plain(said: Suggested) -> bool:
    return said.model.isprintable() and all(
        len(tag) <= TAG_MAX_CHARS and tag.isprintable() for tag in said.scores
    )


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
