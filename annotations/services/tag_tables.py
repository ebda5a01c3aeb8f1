"""A CSV of what a model says of files, which is its own ledger: a second run goes on behind the last whole file."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from annotations.errors import BadInput, Conflict
from annotations.exporters import cells

HEADER = ("file", "tag", "score", "offered", "version", "project")


class Source(NamedTuple):
    """Whose scores they are: the number of a model version, and the id of its project."""

    version: int
    project: int


@dataclass(frozen=True)
class TagRow:
    """What a model says of one tag on one file."""

    tag: str
    score: float
    offered: bool


def lines(name: str, rows: Iterable[TagRow], *, source: Source) -> bytes:
    """The rows of one file as CSV; one without any is told of in a row with its name alone."""
    found = [
        (cells.guard(name), cells.guard(row.tag), f"{row.score:.4f}", str(row.offered).lower(), *source)
        for row in rows
    ]
    return b"".join(cells.write(None, found or [(cells.guard(name), "", "", "", *source)]))


class TagTable:
    """A table on disk that is added to file by file, each whole or not at all. `done` names the files that it has."""

    def __init__(self, path: Path, *, source: Source) -> None:
        """Read what is there; nothing is written before the first file is added.

        Raises:
            Conflict: the table is of another version, or of another project.
            BadInput: the file is no such table, or cannot be read, or its folder does not take one.
        """
        _refuse_folder(path)
        self.path, self.source = path, source
        try:
            data = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.", code="no_table") from error
        self._kept = self._whole_files(data)
        self.done = {cells.unguarded(row[0]) for row in self._kept}
        self._stream: FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, name: str, rows: Iterable[TagRow]) -> None:
        """Put a file's rows at the end; on a full disk the table stays as it was. Raises OSError."""
        stream = self._stream = self._stream or self._opened()
        before = stream.tell()
        try:
            left = memoryview(lines(name, rows, source=self.source))
            while left:  # a disk that fills up takes a part before it says so
                left = left[stream.write(left) :]
        except OSError:
            os.ftruncate(stream.fileno(), before)
            raise
        self.done.add(name)

    def _opened(self) -> FileIO:
        """The table with its whole files, put in the place of what was there at once."""
        temporary = self.path.with_name(f".{self.path.name}.part")
        try:
            temporary.write_bytes(b"".join(cells.write(HEADER, self._kept)))
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
        # Unbuffered: each file is one write, and nothing waits in memory for the close.
        stream = FileIO(self.path, "r+")
        stream.seek(0, os.SEEK_END)
        return stream

    def _whole_files(self, data: bytes) -> list[list[str]]:
        """The rows of what is there, without those of a last file that may lack some."""
        rows = _rows(data, self.path) if data else []
        if others := {tuple(row[4:]) for row in rows} - {tuple(map(str, self.source))}:
            version, project = min(others)
            raise Conflict(
                f"{self.path} holds scores of version {version} of project {project}, not of version "
                f"{self.source.version} of project {self.source.project}: name another file, or remove that one.",
                code="other_version",
            )
        # Every file has as many rows as the one before it.
        *before, last = Counter(row[0] for row in rows).values() or [0]
        if rows and (not data.endswith(b"\n") or last not in before):
            return [row for row in rows if row[0] != rows[-1][0]]
        return rows


def _refuse_folder(path: Path) -> None:
    """Where nothing can be written, that is said before there is anything to write."""
    if not path.parent.is_dir():
        raise BadInput(
            f"There is no folder {path.parent} for {path.name}: make it first.", code="no_such_folder"
        )
    if not os.access(path.parent, os.W_OK):
        raise BadInput(
            f"{path.parent} takes no files ({path.name}): name another folder, or allow it.",
            code="folder_not_writable",
        )


def _rows(data: bytes, path: Path) -> list[list[str]]:
    """The whole rows behind the header; a last line without its end was cut."""
    refused = BadInput(
        f"{path} is no table that this command has made (expected the columns {', '.join(HEADER)}): name another file.",
        code="bad_table",
    )
    whole = data[: data.rfind(b"\n") + 1]
    try:
        rows = list(csv.reader(io.StringIO(whole.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise refused from error
    if not rows or tuple(rows[0]) != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise refused
    return rows[1:]
