"""Which source a request names: uploaded files, an archive, or files of the server. Others are refused by name."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.errors import BadInput, Refused
from annotations.importers import archive, captions, folder, matching
from annotations.importers.base import Batch, Options, StagedFile, clean_path
from annotations.importers.uploads import MAX_FILES, StagedUpload, too_many_files

UNSUPPORTED = ("urls", "s3", "manifest", "tar", "parquet")
SUPPORTED = "files, archive (zip), items with a path, path"
_TRUE, _FALSE = ("true", "1", "on", "yes"), ("false", "0", "off", "no", "")


@dataclass(frozen=True)
class Source:
    name: str
    batch: Batch


def read(sent: Mapping[str, Any], uploads: Sequence[StagedUpload], *, area: str) -> Source:
    """Read the one source that the request names."""
    by_field: dict[str, list[StagedUpload]] = {}
    for upload in uploads:
        by_field.setdefault(upload.field, []).append(upload)
    for name in UNSUPPORTED:
        if name in sent or name in by_field:
            raise unsupported(name)
    if "archive" in by_field:
        return Source("archive", _with_words(_archive(by_field["archive"], area), sent, by_field))
    if "items" in sent:
        return Source("items", folder.read_items(_items(sent["items"])))
    if "path" in sent:
        return Source("folder", _with_words(folder.read_folder(str(sent["path"])), sent, by_field))
    files = tuple(StagedFile(upload.path, upload.key) for upload in by_field.get("files", []))
    batch = _with_words(Batch(files), sent, by_field)
    if "elsewhere" in by_field:
        report = sent.get("unmatched_captions") != "ignore"
        batch = _beside(batch, by_field["elsewhere"], report_unmatched=report)
    return Source("upload", batch)


def options(sent: Mapping[str, Any]) -> Options:
    """The switches of a form or body: `create_tags`, `complete`, `unmatched_captions` (report or ignore), `upload`."""
    unmatched = sent.get("unmatched_captions", "report")
    if unmatched not in ("report", "ignore"):
        raise BadInput(
            f"unmatched_captions: expected report or ignore, got {unmatched!r}.", code="bad_option"
        )
    return Options(
        create_tags=_flag(sent, "create_tags", default=True),
        complete=_flag(sent, "complete", default=False),
        report_unmatched=unmatched == "report",
        upload=_upload_id(sent.get("upload") or ""),
    )


def unsupported(name: str) -> Refused:
    return Refused(
        f"Imports from “{name}” are not supported yet. What works: {SUPPORTED}.",
        code="unsupported_source",
        source=name,
        supported=SUPPORTED.split(", "),
    )


def _archive(archives: Sequence[StagedUpload], area: str) -> Batch:
    if len(archives) > 1:
        raise BadInput("Expected one archive a request, got several.", code="several_archives")
    upload = archives[0]
    if upload.path.lower().endswith((".tar", ".tar.gz", ".tgz")):
        raise unsupported("tar")
    with upload.open_staged() as stream:
        return archive.read_zip(stream, area=f"{area}/unpacked", source_name=upload.path)


def _items(items: object) -> list[Any]:
    if not isinstance(items, list):
        raise BadInput(f"items: expected a list, got {type(items).__name__}.", code="bad_items")
    if len(items) > MAX_FILES:
        raise too_many_files()
    return items


def _with_words(batch: Batch, sent: Mapping[str, Any], by_field: Mapping[str, list[StagedUpload]]) -> Batch:
    """Add the captions that came as a field of JSON or as a file of CSV or JSON."""
    words, errors = dict(batch.words), list(batch.errors)
    for upload in (*by_field.get("captions_file", []), *by_field.get("captions", [])):
        table, told = captions.read_captions(upload.read_all(), source_name=upload.path)
        words.update(table)
        errors += told
    if sent.get("captions"):
        table, told = captions.captions_from_object(_json(sent["captions"]), source_name="captions")
        words.update(table)
        errors += told
    return Batch(batch.files, words, tuple(errors))


def _beside(batch: Batch, lists: Sequence[StagedUpload], *, report_unmatched: bool) -> Batch:
    """Match captions as if the files of the same upload's other requests were here: `elsewhere` lists their names."""
    others = [StagedFile(clean_path(name), "") for upload in lists for name in _names(upload)]
    own = len(batch.files)
    matched, errors = matching.match([*batch.files, *others], batch.words, report_unmatched=report_unmatched)
    return Batch(tuple(matched[:own]), {}, (*batch.errors, *errors))


def _names(upload: StagedUpload) -> list[str]:
    try:
        listed = json.loads(upload.read_all())
    except ValueError:
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


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise BadInput(
            f"captions: expected a JSON object of file name to caption, got text that does not parse ({error}).",
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
