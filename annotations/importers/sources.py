"""Which source a request names: files, an archive, a table, addresses, a bucket, or files of the server."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotations.errors import BadInput, Refused
from annotations.importers import (
    addresses,
    buckets,
    captions,
    damage,
    items,
    matching,
    server_folders,
    sidecars,
    tag_folders,
    together,
    unread,
)
from annotations.importers.archives import opening as archives
from annotations.importers.archives.unpacking import Unpacking
from annotations.importers.base import Batch, Options, StagedFile, clean_path
from annotations.importers.formats import recognising
from annotations.importers.tables import mapping, opening, preview
from annotations.importers.tables.base import Columns, OpenedTable, Table
from annotations.importers.tables.preview import Preview
from annotations.importers.uploads import MAX_BYTES, MAX_FILES, StagedUpload, too_many_files
from annotations.services import storage

# What an import is called by what was sent, first of all the table.
_SOURCES = {"manifest": "table", "archive": "archive"}
_TRUE, _FALSE = ("true", "1", "on", "yes"), ("false", "0", "off", "no", "")


@dataclass(frozen=True)
class Source:
    name: str
    batch: Batch


def read(sent: Mapping[str, Any], uploads: Sequence[StagedUpload], *, area: str) -> Source:
    """Read the one source that the request names. Tables are opened, and their rows left to a worker."""
    with storage.told_when_full():
        return _read(sent, uploads, area)


def _read(sent: Mapping[str, Any], uploads: Sequence[StagedUpload], area: str) -> Source:
    by_field = _by_field(uploads)
    if not _is_packed(by_field) and (named := _named(sent, by_field)):
        return named
    batch = _sent(sent, by_field, area)
    if batch.tables:
        batch = replace(batch, unread=unread.keep(sent, uploads, area=area))
    elif elsewhere := _elsewhere(by_field):
        batch = _beside(batch, elsewhere, report_unmatched=sent.get("unmatched_captions") != "ignore")
    otherwise = "folder" if _is_folder(sent, by_field) else "upload"
    return Source(next((_SOURCES[name] for name in _SOURCES if name in by_field), otherwise), batch)


def _is_packed(by_field: Mapping[str, list[StagedUpload]]) -> bool:
    return bool(_SOURCES.keys() & by_field.keys())


def _is_folder(sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]]) -> bool:
    return "path" in sent and not _is_packed(by_field)


def _named(sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]]) -> Source | None:
    """Pictures elsewhere, each of which is named, or the bucket in which they are."""
    if _has_format(sent) and {"urls", "s3", "items"} & sent.keys():
        raise Refused(
            "Folders name tags in files, archives and folders of the server. Send the tags of addresses as items.",
            code="format_not_here",
        )
    if "urls" in sent:
        return Source("urls", _with_words(addresses.read_urls(_urls(sent["urls"])), sent, by_field))
    if "s3" in sent:
        return Source("s3", _listed(sent, by_field))
    if "items" in sent:
        return Source("items", items.read_items(_items(sent["items"])))
    return None


def again(kept: str) -> Batch:
    """The same tables and files once more, for the worker that reads the rows. Raises BadInput."""
    sent, uploads = unread.take(kept)
    return server_folders.digested(_sent(sent, _by_field(uploads), kept.rpartition("/")[0]))


def previewed(sent: Mapping[str, Any], uploads: Sequence[StagedUpload], *, is_mapped: bool = True) -> Preview:
    """How the sent table would be read: nothing is stored.

    Not `is_mapped`: its columns alone, whether or not one of them names the pictures.
    """
    manifests = [upload for upload in uploads if upload.field == "manifest"]
    if not manifests:
        raise BadInput("Expected a table under `manifest` to look at, got none.", code="nothing_sent")
    if not is_mapped:
        return preview.unmapped(_opened(manifests), _said(sent))
    described = _described(sent, manifests).tables[0]
    return preview.preview(described.table, described.columns)


def is_preview(sent: Mapping[str, Any]) -> bool:
    return _flag(sent, "preview", default=False)


def options(sent: Mapping[str, Any]) -> Options:
    """The switches of a form or body: `create_tags`, `complete`, `file_keywords`, `unmatched_captions`, `upload`."""
    unmatched = sent.get("unmatched_captions", "report")
    if unmatched not in ("report", "ignore"):
        raise BadInput(
            f"unmatched_captions: expected report or ignore, got {unmatched!r}.", code="bad_option"
        )
    return Options(
        create_tags=_flag(sent, "create_tags", default=True),
        complete=_flag(sent, "complete", default=False),
        report_unmatched=unmatched == "report",
        file_keywords=_flag(sent, "file_keywords", default=False),
        upload=_upload_id(sent.get("upload") or ""),
    )


def _by_field(uploads: Sequence[StagedUpload]) -> dict[str, list[StagedUpload]]:
    by_field: dict[str, list[StagedUpload]] = {}
    for upload in uploads:
        by_field.setdefault(upload.field, []).append(upload)
    return by_field


def _sent(sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]], area: str) -> Batch:
    """Files, an archive, a table, or several of them, or a folder, with all that speaks of the pictures among them."""
    words = [StagedFile(upload.path, upload.key) for upload in by_field.get("captions_file", [])]
    if is_folder := _is_folder(sent, by_field):
        batch = server_folders.read(str(sent["path"]), area, is_spoken_of=bool(words))
    else:
        batch = _packed(sent, by_field, area)
    said = together.described((*batch.files, *words), area, sent_as_captions={one.key for one in words})
    if said.tables and _is_a_part(sent):
        raise _in_parts(said.tables[0].table.name)
    batch = replace(
        said,
        words={**batch.words, **said.words},
        errors=(*batch.errors, *said.errors),
        tables=(*batch.tables, *said.tables),
    )
    others = {name: found for name, found in by_field.items() if name != "captions_file"}
    batch = _with_words(sidecars.take(batch), sent, others)
    return _by_folders(batch, sent, elsewhere=_elsewhere(by_field), has_root=is_folder)


def _is_a_part(sent: Mapping[str, Any]) -> bool:
    """Whether other requests bring more of the same upload: `parts` counts them."""
    parts = str(sent.get("parts") or 1)
    if not (parts.isdecimal() and len(parts) < 10):
        raise BadInput(f"parts: expected a number of requests, got {parts[:40]!r}.", code="bad_option")
    return int(parts) > 1


def _in_parts(name: str) -> BadInput:
    return BadInput(
        f"“{name}” speaks of many pictures, and this request brings a part of them. Send it in one request with all "
        f"of its pictures (at most {MAX_FILES:,} files and {MAX_BYTES // 2**30} GB), pack them into one archive, or "
        "send it under Import, Table once the pictures are here.",
        code="data_in_parts",
        file=name,
    )


def _by_folders(
    batch: Batch, sent: Mapping[str, Any], *, elsewhere: Sequence[str] = (), has_root: bool = False
) -> Batch:
    """The batch with the tags that folders name, where that is asked for."""
    if not _has_format(sent):
        return batch
    return replace(batch, files=tag_folders.tagged(batch.files, elsewhere=elsewhere, has_root=has_root))


def _has_format(sent: Mapping[str, Any]) -> bool:
    """Whether folders are to name tags: the one format that has to be asked for."""
    if (format := sent.get("format") or "") not in ("", tag_folders.FORMAT):
        raise BadInput(
            f"format: expected {tag_folders.FORMAT}, or none, got {str(format)[:60]!r}. "
            "All other formats are recognised by their files.",
            code="bad_option",
        )
    return bool(format)


def _packed(sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]], area: str) -> Batch:
    """The files, and what an archive and a table bring beside them."""
    files = tuple(
        StagedFile(upload.path, upload.key, sha256=upload.sha256) for upload in by_field.get("files", [])
    )
    # The table first: one that cannot be read is refused before gigabytes are unpacked.
    said = _described(sent, by_field["manifest"], files) if "manifest" in by_field else Batch(files)
    batch = _archive(by_field["archive"], area) if "archive" in by_field else Batch(())
    if "manifest" in by_field and not (
        said.files or said.errors or "archive" in by_field or _has_rows(said.tables)
    ):
        raise BadInput(
            f"{by_field['manifest'][0].path}: expected rows that name pictures, got none.",
            code="nothing_sent",
        )
    return replace(
        batch,
        files=(*said.files, *batch.files),
        tables=(*batch.tables, *said.tables),
        errors=(*batch.errors, *said.errors),
    )


def _described(
    sent: Mapping[str, Any], manifests: Sequence[StagedUpload], files: tuple[StagedFile, ...] = ()
) -> Batch:
    """The files with the table that speaks of them: a data file of a format, or a table in any column names."""
    if len(manifests) == 1 and not sent.get("mapping"):
        upload = manifests[0]
        data = StagedFile(upload.path, upload.key)
        batch = recognising.taken((*files, data), upload.key.rpartition("/")[0])
        if batch.tables and data not in batch.files:
            return batch
    return Batch(files, tables=(OpenedTable(*_table(sent, manifests)),))


def _has_rows(tables: Sequence[OpenedTable]) -> bool:
    """Of a data file of a format only its worker finds out: it may have to read all of it for that."""
    return any(one.is_format or next(iter(one.table.rows()), None) is not None for one in tables)


def _archive(sent_archives: Sequence[StagedUpload], area: str) -> Batch:
    if len(sent_archives) > 1:
        raise BadInput("Expected one archive a request, got several.", code="several_archives")
    upload, unpacked = sent_archives[0], f"{area}/unpacked"
    if (earlier := Unpacking.earlier(unpacked, upload.path)) is not None:
        return earlier.batch()
    with upload.open_staged() as stream:
        return archives.read(stream, area=unpacked, source_name=upload.path)


def _listed(sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]]) -> Batch:
    if sent.get("captions") or "captions" in by_field or "captions_file" in by_field:
        raise Refused(
            "Captions cannot be matched to a bucket, whose files are listed later. Send them as items.",
            code="captions_with_s3",
        )
    return Batch((), listing=str(buckets.allowed(str(sent["s3"]))))


def _urls(urls: object) -> list[Any]:
    """A list of addresses, or a form's text with one on each line."""
    if isinstance(urls, str):
        urls = [line for line in map(str.strip, urls.splitlines()) if line]
    if not isinstance(urls, list):
        raise BadInput(f"urls: expected a list of addresses, got {type(urls).__name__}.", code="bad_urls")
    if len(urls) > MAX_FILES:
        raise too_many_files()
    return urls


def _table(sent: Mapping[str, Any], manifests: Sequence[StagedUpload]) -> tuple[Table, Columns]:
    table = _opened(manifests)
    return table, mapping.read(table, _said(sent), separator=str(sent.get("tags_separator") or ""))


def _opened(manifests: Sequence[StagedUpload]) -> Table:
    if len(manifests) > 1:
        raise BadInput("Expected one table a request, got several.", code="several_tables")
    return opening.table(manifests[0].open_staged, manifests[0].path)


def _said(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    said = _json(sent["mapping"], name="mapping") if sent.get("mapping") else {}
    if not isinstance(said, Mapping):
        raise BadInput(
            f"mapping: expected an object of column to meaning, got {type(said).__name__}.",
            code="bad_mapping",
        )
    return said


def _items(sent: object) -> list[Any]:
    if not isinstance(sent, list):
        raise BadInput(f"items: expected a list, got {type(sent).__name__}.", code="bad_items")
    if len(sent) > MAX_FILES:
        raise too_many_files()
    return sent


def _with_words(batch: Batch, sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]]) -> Batch:
    """Add the captions that came as a field of JSON or as a file of CSV or JSON."""
    words, errors = dict(batch.words), list(batch.errors)
    for upload in (*by_field.get("captions_file", []), *by_field.get("captions", [])):
        table, told = captions.read_captions(upload.read_all(), source_name=upload.path)
        words.update(table)
        errors += told
    if sent.get("captions"):
        table, told = captions.captions_from_object(
            _json(sent["captions"], name="captions"), source_name="captions"
        )
        words.update(table)
        errors += told
    return replace(batch, words=words, errors=tuple(errors))


def _beside(batch: Batch, elsewhere: Sequence[str], *, report_unmatched: bool) -> Batch:
    """Match captions as if the files of the same upload's other requests, which have these names, were here."""
    others = [StagedFile(name, "") for name in elsewhere]
    own = len(batch.files)
    matched, errors = matching.match([*batch.files, *others], batch.words, report_unmatched=report_unmatched)
    return Batch(tuple(matched[:own]), {}, (*batch.errors, *errors))


def _elsewhere(by_field: Mapping[str, list[StagedUpload]]) -> list[str]:
    """Names of the files that other requests of the same upload bring."""
    return [clean_path(name) for upload in by_field.get("elsewhere", []) for name in _names(upload)]


def _names(upload: StagedUpload) -> list[str]:
    try:
        listed = json.loads(upload.read_all())
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise BadInput("elsewhere: expected a JSON list of file names, got something else.", code="bad_json")
    return listed


def _upload_id(value: object) -> str:
    """A UUID in one spelling; empty where the request stands alone."""
    try:
        return str(uuid.UUID(str(value))) if value else ""
    except ValueError as error:
        raise BadInput(f"upload: expected a UUID, got {value!r}.", code="bad_option") from error


def _json(value: object, *, name: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{name}: expected a JSON object, got {damage.unparsed(error)}. Correct it and send it again.",
            code="bad_json",
        ) from error


def _flag(sent: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = sent.get(name, default)
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in (*_TRUE, *_FALSE):
        return text in _TRUE
    raise BadInput(f"{name}: expected true or false, got {value!r}.", code="bad_option")
