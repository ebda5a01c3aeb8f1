"""Where the picture of a row is: sent with the table, a file of the server, an address, or in the project already."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from annotations.importers import folder, places
from annotations.importers.base import (
    ItemError,
    KnownImage,
    Offered,
    StagedFile,
    Words,
    base_name,
    clean_path,
)
from annotations.importers.tables import mapping
from annotations.importers.tables.base import OpenedTable, Table
from annotations.importers.tables.words import Said, said, settled, together
from annotations.services import storage

# Below which our own archives keep their pictures.
_IMAGES = "images"


class SentFiles:
    """The files that came with a table. What rows say of them is gathered, since each file lands once."""

    def __init__(self, files: Sequence[StagedFile]) -> None:
        self._files = files
        # Asked once: a table may have a million rows.
        self.with_server = bool(storage.import_roots())
        self._said: dict[int, tuple[Table, Said]] = {}
        self._by_path = {file.name: index for index, file in reversed(list(enumerate(files)))}
        self._by_sha256 = {file.sha256: index for index, file in enumerate(files) if file.sha256}
        self._by_base: dict[str, list[int]] = defaultdict(list)
        for index, file in enumerate(files):
            self._by_base[base_name(file.name)].append(index)

    def take(self, opened: OpenedTable, row: Said, item: str) -> bool | ItemError:
        """Whether the row is about one of these files. An error where several bear the name, or it is another file."""
        found = self._find(row, opened.folder)
        if found is None:
            return False
        if len(found) > 1:
            shown = ", ".join(f"“{self._files[index].name}”" for index in found[:3])
            return ItemError(
                item,
                "ambiguous_name",
                f"“{row.reference[:100]}” names {len(found)} files ({shown}). Write the folder before the name.",
            )
        (index,) = found
        sent = self._files[index].sha256
        if row.sha256 and sent and row.sha256 != sent:
            return ItemError(
                item,
                "another_file",
                f"“{row.reference[:100]}” has another sha256 than the row says: "
                f"expected {row.sha256[:12]}…, got {sent[:12]}…. Send the file that the row means.",
            )
        earlier = self._said.get(index)
        self._said[index] = (opened.table, together(earlier[1], row) if earlier else row)
        return True

    def landing(self) -> Iterator[Offered]:
        """All files, with what the rows say of them; one that no row names has the words it came with."""
        for index, file in enumerate(self._files):
            if index not in self._said:
                yield file
                continue
            table, row = self._said[index]
            words, errors = settled(table, row)
            yield from errors
            # A row that names the bytes knows what they are called; an archive has its own ways with names.
            named = row.path or row.name if row.sha256 else ""
            yield file._replace(
                name=clean_path(named) if named else file.name, words=_over(file.words, words)
            )

    def _find(self, row: Said, folder: str) -> list[int] | None:
        if row.sha256 in self._by_sha256:
            return [self._by_sha256[row.sha256]]
        for reference in (row.path, row.name):
            if not reference:
                continue
            path = clean_path(reference)
            below = (folder, f"{folder}/{_IMAGES}".strip("/"), "", _IMAGES)
            for place in dict.fromkeys(below):
                if (index := self._by_path.get(f"{place}/{path}".strip("/"))) is not None:
                    return [index]
            alike = self._by_base.get(base_name(path), [])
            if "/" in path:  # a folder was named: a bare name may only stand for a file without one
                alike = [index for index in alike if "/" not in self._files[index].name]
            if alike:
                return alike
        return None


def opened(table: Table, *, folder: str = "") -> OpenedTable:
    """A table as its own names tell it. Raises BadInput where no column names pictures."""
    return OpenedTable(table, mapping.read(table), folder)


def offered(tables: Sequence[OpenedTable], files: Sequence[StagedFile]) -> Iterator[Offered]:
    """What tables bring, row by row; rows about the same picture that follow one another are one.

    The files that came along are last: any row may still speak of them.
    """
    sent = SentFiles(files)
    for one in tables:
        yield from _of_table(one, sent)
    yield from sent.landing()


def _of_table(opened: OpenedTable, sent: SentFiles) -> Iterator[Offered]:
    waiting: Said | None = None
    for row in opened.table.rows():
        read = row if isinstance(row, ItemError) else said(opened.table, opened.columns, row)
        if isinstance(read, ItemError):
            yield read
            continue
        yield from read.errors
        if waiting is not None and waiting.picture == read.picture:
            waiting = together(waiting, read)
            continue
        if waiting is not None:
            yield from _placed(opened, waiting, sent)
        waiting = read
    if waiting is not None:
        yield from _placed(opened, waiting, sent)


def _placed(opened: OpenedTable, row: Said, sent: SentFiles) -> Iterator[Offered]:
    item = opened.table.place(row.number)
    taken = sent.take(opened, row, item)
    if isinstance(taken, ItemError):
        yield taken
        return
    if taken:
        return
    words, errors = settled(opened.table, row)
    yield from errors
    server = _server_file(row.path or row.name, words, item) if sent.with_server else None
    if isinstance(server, StagedFile):
        yield server
        return
    otherwise = places.address(row.url, words, item=item) if row.url else server
    named = row.path or row.name
    if named or row.sha256:
        yield KnownImage(item, clean_path(named) if named else "", words, otherwise, sha256=row.sha256)
    elif otherwise is not None:
        yield otherwise


def _server_file(path: str, words: Words, item: str) -> StagedFile | ItemError | None:
    """None where the row cannot mean a file of the server: no path, or one that is just not there."""
    if not path:
        return None
    found = folder.server_file(path, words, item=item)
    is_absolute = PurePosixPath(path).is_absolute()
    return found if isinstance(found, StagedFile) or is_absolute or ".." in path.split("/") else None


def _over(before: Words, words: Words) -> Words:
    """What a row says, over what a file of captions said of the same picture."""
    return words._replace(
        caption=before.caption if words.caption is None else words.caption,
        tags=words.tags or before.tags,
        metadata={**before.metadata, **words.metadata},
        complete=words.complete or before.complete,
        suggested=words.suggested or before.suggested,
    )
