"""Files that came together: what among them speaks of the others is read, and the others are pictures.

Captions, tables and the data of formats; what lies beside a single picture is the matter of `sidecars`.
"""

import codecs
from collections.abc import Collection, Sequence
from dataclasses import replace

from annotations.errors import BadInput
from annotations.importers import captions, sidecars
from annotations.importers.base import Batch, ItemError, StagedFile, Words
from annotations.importers.formats import recognising
from annotations.importers.tables import opening, pictures
from annotations.importers.tables.base import OpenedTable
from annotations.importers.tables.mapping import NAMES_A_PICTURE, NOTHING
from annotations.services import storage

CAPTIONS = ("captions.csv", "captions.json")
_NO_CAPTIONS = (".jsonl", ".ndjson", ".parquet")
# Of a file that is sent as captions: a table or a list that names its columns otherwise.
_PERHAPS_A_TABLE = ("missing_column", "bad_captions", "captions_too_large")


def described(files: Sequence[StagedFile], area: str, *, sent_as_captions: Collection[str] = ()) -> Batch:
    """The pictures among the files, with the words and tables that speak of them. Formats are told by all files.

    `sent_as_captions` are keys of files. Raises BadInput where one of those, or a `captions.csv`, cannot be read; any
    other becomes an error of its own.
    """
    batch = recognising.taken(tuple(files), area)
    beside = sidecars.paired(file.name for file in batch.files)
    words: dict[str, Words] = {}
    tables, errors, rest = list(batch.tables), list(batch.errors), []
    for file in batch.files:
        if file.key in sent_as_captions or file.name in CAPTIONS:
            said = _captions_or_table(file)
            if isinstance(said, OpenedTable):
                tables.append(said)
            else:
                words |= said[0]
                errors += said[1]
        elif file.name not in beside and _is_table(file):
            try:
                tables.append(_opened(file))
            except BadInput as error:
                errors.append(ItemError(file.name, error.code, error.message))
        else:
            rest.append(file)
    return replace(batch, files=tuple(rest), words=words, tables=tuple(tables), errors=tuple(errors))


def _is_table(file: StagedFile) -> bool:
    name = file.name.lower()
    if not name.endswith(".json"):
        return name.endswith(opening.ENDINGS)
    with storage.open_for_reading(file.key) as stream:
        return stream.read(256).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")


def _captions_or_table(file: StagedFile) -> captions.Table | OpenedTable:
    if file.name.lower().endswith(_NO_CAPTIONS):
        return _opened(file)
    try:
        data = storage.read(file.key, limit_bytes=captions.MAX_TABLE_BYTES)
        return captions.read_captions(data, source_name=file.name)
    except BadInput as error:
        if error.code in _PERHAPS_A_TABLE and (table := _speaking(file)):
            return table
        raise


def _speaking(file: StagedFile) -> OpenedTable | None:
    """The table that the file is, if it names pictures and says anything of them."""
    try:
        table = _opened(file)
    except BadInput:
        return None
    said = set(table.columns.targets.values()) - {*NAMES_A_PICTURE, NOTHING}
    return table if said else None


def _opened(file: StagedFile) -> OpenedTable:
    table = opening.table(lambda: storage.open_for_reading(file.key), file.name)
    return pictures.opened(table, folder=file.name.rpartition("/")[0])
