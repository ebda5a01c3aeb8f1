"""Uploads streamed straight into staging: a gigabyte of pictures never stands in memory.

The names that browsers send keep their folders here, which Django's own parser would cut off.
"""

import functools
import hashlib
import json
from typing import Any, BinaryIO

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser, DataAndFiles

from annotations.errors import BadInput, DiskFull, TooLarge
from annotations.importers.base import clean_path
from annotations.services import storage

MAX_FILES = 1_000
MAX_BYTES = 2**30
# What the parts' headers and the form's other fields may add.
_FORM_BYTES = 16 * 2**20
_DRAIN_BYTES = 2**20


class StagedUpload(UploadedFile):
    """A file that lies in staging under `key`; `path` is its name with folders."""

    def __init__(self, key: str, path: str, size: int, sha256: str, field: str) -> None:
        super().__init__(file=None, name=path, size=size)
        self.key, self.path, self.sha256, self.field = key, path, sha256, field

    def close(self) -> None:
        """Nothing is open: Django calls this at the request's end."""

    def open_staged(self) -> BinaryIO:
        return storage.open_for_reading(self.key)

    def read_all(self) -> bytes:
        return storage.read(self.key)


class StagingHandler(FileUploadHandler):
    """Writes what arrives into one staging area, and refuses what is too much while it arrives."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.area = storage.new_staging_area()
        self._pictures = self._bytes = self._number = 0

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any
    ) -> None:
        if content_length > MAX_BYTES + _FORM_BYTES:
            raise too_many_bytes()

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name == "files":
            self._pictures += 1
            if self._pictures > MAX_FILES:
                raise too_many_files()
        self._number += 1
        self._key = f"{self.area}/{self._number:06d}"
        self._digest = hashlib.sha256()
        self._writing = storage.writer(self._key)
        self._target = self._writing.__enter__()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._bytes += len(raw_data)
        if self._bytes > MAX_BYTES:
            raise too_many_bytes()
        self._digest.update(raw_data)
        self._target.write(raw_data)

    def file_complete(self, file_size: int) -> StagedUpload:
        self._writing.__exit__(None, None, None)
        name = clean_path(self.file_name or "")
        return StagedUpload(self._key, name, file_size, self._digest.hexdigest(), self.field_name or "")


class _PathKeepingParser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str | None:
        # The name is a label here: bytes are stored under numbers, never under it.
        return clean_path(file_name) if file_name.strip() else None


class StagedMultiPartParser(BaseParser):
    """For API views: reads the form by way of Django's request, which `stage_uploads` has prepared."""

    media_type = "multipart/form-data"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> DataAndFiles:
        request = parser_context["request"]._request
        return DataAndFiles(request.POST, request.FILES)


def stage_uploads(request: HttpRequest) -> StagingHandler:
    """Make a request stage its files when its form is first read, be it by the CSRF check."""
    handler = StagingHandler(request)
    request.upload_handlers = [handler]
    request.parse_file_upload = functools.partial(_parse, request)  # type: ignore[method-assign]
    return handler


def too_many_files() -> TooLarge:
    return TooLarge(
        f"Expected at most {MAX_FILES:,} files a request, got more. Send the rest in further requests.",
        code="too_many_files",
    )


def too_many_bytes() -> TooLarge:
    return TooLarge(
        f"Expected at most {MAX_BYTES // 2**30} GB a request, got more. Send the rest in further requests.",
        code="too_many_bytes",
    )


def fingerprint(fields: dict[str, Any], files: list[StagedUpload]) -> str:
    """The same for the same form again: what a `client_id` is checked against."""
    said = [fields, sorted((upload.field, upload.path, upload.sha256) for upload in files)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _parse(request: HttpRequest, meta: dict[str, Any], post_data: Any) -> tuple[Any, Any]:
    try:
        with storage.told_when_full():
            return _PathKeepingParser(meta, post_data, request.upload_handlers, request.encoding).parse()
    except (TooLarge, DiskFull):
        _drain(post_data)
        raise
    except TooManyFilesSent as error:
        _drain(post_data)
        raise too_many_files() from error
    except MultiPartParserError as error:
        raise BadInput(
            f"Expected a form of type multipart/form-data, got one that does not parse ({error}).",
            code="bad_form",
        ) from error


def _drain(stream: Any) -> None:
    """Read on for a while: a client that is still sending would not hear the answer."""
    left = 2 * MAX_BYTES
    while left > 0 and (piece := stream.read(_DRAIN_BYTES)):
        left -= len(piece)
