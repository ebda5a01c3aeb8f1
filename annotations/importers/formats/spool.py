"""Rows of a document that says things of an image in several places, gathered on disk: memory stays as it is."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Self

YES, NO = 1, 0


class Spool:
    """Images by their key, and what is said of them. A database that SQLite keeps in a file of its own and removes."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")
        self._rows.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE image (key TEXT PRIMARY KEY, number INTEGER, cells TEXT);"
            "CREATE TABLE said (key TEXT, word TEXT, verdict INTEGER);"
            "CREATE TABLE caption (key TEXT PRIMARY KEY, caption TEXT);"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add(self, key: str, number: int, cells: dict[str, Any]) -> bool:
        """False where the key is taken: the first image keeps it."""
        done = self._rows.execute(
            "INSERT OR IGNORE INTO image VALUES (?, ?, ?)", (key, number, json.dumps(cells))
        )
        return done.rowcount > 0

    def say(self, key: str, word: str, verdict: int = YES) -> None:
        self._rows.execute("INSERT INTO said VALUES (?, ?, ?)", (key, word, verdict))

    def describe(self, key: str, caption: str) -> None:
        """The first caption of an image is taken: there may be several, and it has one."""
        self._rows.execute("INSERT OR IGNORE INTO caption VALUES (?, ?)", (key, caption))

    def images(self) -> Iterator[tuple[int, dict[str, Any], list[str], list[str]]]:
        """Each image's number and cells, with the words that apply and those that do not, in the order of numbers."""
        self._rows.execute("CREATE INDEX of_image ON said (key)")
        rows = self._rows.execute(
            "SELECT number, cells, caption, word, verdict FROM image "
            "LEFT JOIN caption USING (key) LEFT JOIN said USING (key) ORDER BY number, image.key, said.rowid"
        )
        for (number, packed, caption), said in groupby(rows, key=lambda one: one[:3]):
            words = [one[3:] for one in said]
            cells = json.loads(packed)
            if caption is not None:
                cells["caption"] = caption
            yield number, cells, _of(words, YES), _of(words, NO)

    def strangers(self) -> Iterator[str]:
        """Keys of which something is said, but which no image has."""
        found = self._rows.execute(
            "SELECT DISTINCT key FROM said WHERE key NOT IN (SELECT key FROM image) ORDER BY rowid"
        )
        return (key for (key,) in found)


def _of(words: list[tuple[str, int]], verdict: int) -> list[str]:
    return list(dict.fromkeys(word for word, said in words if said == verdict))
