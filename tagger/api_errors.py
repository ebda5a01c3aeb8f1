"""The one place where an error becomes an HTTP answer of the API: {"error": {"code", "message", "fields"}}."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotations.errors import DomainError, TooLarge, Unstorable

logger = logging.getLogger(__name__)

_CODES = {
    status.HTTP_400_BAD_REQUEST: "bad_input",
    status.HTTP_401_UNAUTHORIZED: "not_authenticated",
    status.HTTP_403_FORBIDDEN: "forbidden",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "not_acceptable",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too_large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    status.HTTP_429_TOO_MANY_REQUESTS: "slow_down",
}
# What Django itself stops reading a request for.
_LIMITS: dict[type[Exception], str] = {
    RequestDataTooBig: f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MB beside its files",
    TooManyFieldsSent: f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields",
    TooManyFilesSent: f"{settings.DATA_UPLOAD_MAX_NUMBER_FILES:,} files",
}


def body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None lets an unexpected error become a logged 500."""
    del context
    if isinstance(error, DataError):
        logger.warning("The database refused a value of a request", exc_info=error)
        error = Unstorable()
    elif type(error) in _LIMITS:
        error = TooLarge(
            f"Expected a request of at most {_LIMITS[type(error)]}, got more. Send several requests."
        )
    if isinstance(error, DomainError):
        set_rollback()
        return Response(body(error.code, error.message, error.fields), status=error.status)
    if isinstance(error, OperationalError):
        set_rollback()
        return Response(
            body("database_down", "The database does not answer; try again in a moment."), status=503
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        set_rollback()
        return _api_exception(error)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer where no address matches: to a program in the shape of its errors, to people as a page."""
    if _is_of_api(request):
        return JsonResponse(body("not_found", "There is nothing at this address."), status=404)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """The same of a mistake of ours."""
    if _is_of_api(request):
        told = "Something broke. The mistake is ours and has been written to the log; try again in a moment."
        return JsonResponse(body("broken", told), status=500)
    return defaults.server_error(request)


def _is_of_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _api_exception(error: exceptions.APIException) -> Response:
    code = _CODES.get(error.status_code, "error")
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None) is not None:
        headers["Retry-After"] = str(max(1, round(error.wait)))
    if isinstance(error, exceptions.ValidationError):
        answer = body("bad_input", _first_sentence(error.detail), _fields(error.detail))
    else:
        answer = body(code, str(error.detail))
    return Response(answer, status=error.status_code, headers=headers)


def _fields(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"detail": detail}


def _first_sentence(detail: Any, name: str = "") -> str:
    """The first complaint with the field's name before it."""
    if isinstance(detail, dict) and detail:
        key, inner = next(iter(detail.items()))
        return _first_sentence(inner, str(key))
    if isinstance(detail, list) and detail:
        return _first_sentence(detail[0], name)
    return f"{name}: {detail}" if name and name != "non_field_errors" else str(detail)
