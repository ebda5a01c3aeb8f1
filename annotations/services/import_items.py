"""The items of an import as rows: written by COPY, taken up and finished without the ORM.

A table brings a million of them, and the ORM takes ten times as long over each.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from annotations.importers.base import ItemError, StagedFile, Words
from annotations.models import ImportItem, ImportJob
from annotations.selectors import arrays

if TYPE_CHECKING:
    from annotations.services.import_images import ImageRow

_WORDS = (
    *("name", "staged_key", "caption", "file_caption", "tags", "no", "disputed", "not_asked", "is_holdout"),
    *("metadata", "suggestions", "complete"),
)
_COLUMNS = ("job_id", *_WORDS, "state", "error_code", "error_message", "image_id")
# What becomes of an item, in the last four of them.
_WAITING = (ImportItem.State.WAITING.value, "", "", None)
# Of metadata: it may hold numbers beyond 64 bits, which `_dumped` does not write.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TAKEN = f"""
    SELECT id, {", ".join(_WORDS)}
    FROM annotations_importitem WHERE job_id = %s AND state = 'waiting' AND id > %s ORDER BY id LIMIT %s
"""  # noqa: S608 (constants)


@dataclass(slots=True)
class WaitingItem:
    """An item in a worker's hands, and what becomes of it: `state`, the refusal, the image that it landed as."""

    pk: int
    name: str
    staged_key: str
    caption: str | None
    file_caption: str
    tags: list[str]
    no: list[str]
    disputed: list[str]
    not_asked: list[str]
    is_holdout: bool | None
    metadata: dict[str, Any]
    suggestions: dict[str, Any]
    complete: bool
    state: str = ImportItem.State.WAITING.value
    error: ItemError | None = None
    image: "ImageRow | None" = field(default=None, repr=False)

    def refuse(self, error: ItemError) -> None:
        self.state, self.error = ImportItem.State.REFUSED.value, error


def of_files(files: Iterable[StagedFile]) -> list[WaitingItem]:
    """The items that files would be; `pk` is 0, for they have no rows yet."""
    return [
        WaitingItem(
            pk=0,
            name=file.name,
            staged_key=file.key,
            caption=file.words.caption,
            file_caption="",
            tags=list(file.words.tags),
            no=list(file.words.no),
            disputed=list(file.words.disputed),
            not_asked=list(file.words.not_asked),
            is_holdout=file.words.holdout,
            metadata=dict(file.words.metadata),
            suggestions=_suggested(file.words),
            complete=file.words.complete,
        )
        for file in files
    ]


def store(job: ImportJob, files: Iterable[StagedFile]) -> int:
    """Store what is to be worked off, with words that PostgreSQL can hold; returns how many."""
    return _copy(job, ((file, _WAITING) for file in files))


def store_landed(job: ImportJob, files: Iterable[StagedFile], items: Iterable[WaitingItem]) -> None:
    """Store items that are finished already: `items[n]` is what became of `files[n]`."""
    _copy(job, ((file, _outcome(item)) for file, item in zip(files, items, strict=True)))


def _outcome(item: WaitingItem) -> tuple[object, ...]:
    code, message = (item.error.code, item.error.message) if item.error else ("", "")
    return item.state, code, message, item.image.pk if item.image else None


def _copy(job: ImportJob, rows: Iterable[tuple[StagedFile, tuple[object, ...]]]) -> int:
    count = 0
    with connection.cursor() as cursor:
        query = f"COPY annotations_importitem ({', '.join(_COLUMNS)}) FROM STDIN"
        with cursor.cursor.copy(query) as copy:
            for file, outcome in rows:
                words = file.words
                copy.write_row(
                    (
                        job.pk,
                        file.name,
                        file.key,
                        words.caption,
                        "",
                        _dumped(words.tags) if words.tags else "[]",
                        _dumped(words.no) if words.no else "[]",
                        _dumped(words.disputed) if words.disputed else "[]",
                        _dumped(words.not_asked) if words.not_asked else "[]",
                        words.holdout,
                        _ENCODE(words.metadata) if words.metadata else "{}",
                        _dumped(_suggested(words)) if words.suggested else "{}",
                        words.complete,
                        *outcome,
                    )
                )
                count += 1
    return count


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()


def _suggested(words: Words) -> dict[str, Any]:
    said = words.suggested
    return {"model": said.model, "scores": said.scores} if said else {}


def waiting(job: ImportJob, most: int, *, after: int = 0) -> list[WaitingItem]:
    """The next items in order. Django leaves jsonb as text here, and most of it is empty."""
    if most <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [job.pk, after, most])
        return [_waiting(*row) for row in cursor.fetchall()]


def finish(items: Sequence[WaitingItem]) -> None:
    """Store what became of them: arrays in one statement, since a parameter each costs fifty times as much."""
    refused = [item for item in items if item.error]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE annotations_importitem item SET state = said.state, image_id = said.image_id
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS said(id, state, image_id)
            WHERE item.id = said.id
            """,
            [
                arrays.literal(item.pk for item in items),
                arrays.text_literal(item.state for item in items),
                arrays.literal(item.image.pk if item.image else None for item in items),
            ],
        )
        if refused:
            cursor.execute(
                """
                UPDATE annotations_importitem item SET error_code = said.code, error_message = said.message
                FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS said(id, code, message)
                WHERE item.id = said.id
                """,
                [
                    [item.pk for item in refused],
                    [item.error.code for item in refused if item.error],
                    [item.error.message for item in refused if item.error],
                ],
            )


def _waiting(pk: int, name: str, key: str, caption: str | None, file_caption: str, *rest: Any) -> WaitingItem:
    tags, no, disputed, not_asked, is_holdout, metadata, suggestions, complete = rest
    return WaitingItem(
        pk=pk,
        name=name,
        staged_key=key,
        caption=caption,
        file_caption=file_caption,
        tags=_list(tags),
        no=_list(no),
        disputed=_list(disputed),
        not_asked=_list(not_asked),
        is_holdout=is_holdout,
        metadata=_dict(metadata),
        suggestions=_dict(suggestions),
        complete=complete,
    )


def _list(text: str) -> list[str]:
    return [] if text == "[]" else list(json.loads(text))


def _dict(text: str) -> dict[str, Any]:
    return {} if text == "{}" else dict(json.loads(text))
