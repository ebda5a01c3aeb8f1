"""Stored files as HTTP answers: whole, in ranges (RFC 9110), or by a signed address where storage has one."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from annotations.errors import NotFound
from annotations.services import storage

_PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


class AsItIs(DefaultContentNegotiation):
    """For views that answer with a file: it has the type it has, whatever types the caller asks for."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type  # of errors


class _OutOfRangeError(Exception):
    """The range asked for begins behind the file's end."""


def attachment(
    request: Request | HttpRequest, *, key: str, name: str, content_type: str, etag: str
) -> HttpResponseBase:
    """A file to save. One range is honoured; several, or a malformed one, get the whole file."""
    if storage.local_path(key) is None:
        return HttpResponseRedirect(default_storage.url(key))
    try:
        stream, total = storage.open_for_reading(key), storage.size_bytes(key)
    except FileNotFoundError as error:
        raise NotFound("The file is gone from the storage. Start the export again.") from error
    response: HttpResponseBase
    try:
        span = _span(request, total, etag)
    except _OutOfRangeError:
        stream.close()
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{total}"})
    else:
        response = _whole_or_part(stream, total, span, content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = "private, no-transform"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _whole_or_part(
    stream: BinaryIO, total: int, span: tuple[int, int] | None, content_type: str
) -> HttpResponseBase:
    if span is None:
        return FileResponse(stream, content_type=content_type)
    first, last = span
    response = StreamingHttpResponse(_pieces(stream, first, last), status=206, content_type=content_type)
    response["Content-Length"] = str(last - first + 1)
    response["Content-Range"] = f"bytes {first}-{last}/{total}"
    return response


def _span(request: Request | HttpRequest, total: int, etag: str) -> tuple[int, int] | None:
    """First and last byte asked for, or None for all. Raises _OutOfRangeError where there are none."""
    found = _RANGE.match(request.META.get("HTTP_RANGE", "").replace(" ", ""))
    if found is None or request.META.get("HTTP_IF_RANGE", f'"{etag}"') != f'"{etag}"':
        return None
    start, end = found.groups()
    if not start and not end:
        return None
    first = int(start) if start else max(total - int(end), 0)
    last = min(int(end), total - 1) if start and end else total - 1
    if first >= total or (not start and int(end) == 0):
        raise _OutOfRangeError
    return (first, last) if first <= last else None


def _pieces(stream: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    with stream:
        stream.seek(first)
        left = last - first + 1
        while left and (piece := stream.read(min(_PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
