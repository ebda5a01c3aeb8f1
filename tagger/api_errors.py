"""The one place where an error becomes an HTTP answer of the API: {"error": {"code", "message", "fields"}}."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotations.errors import DomainError, Unstorable

logger = logging.getLogger(__name__)

_CODES = {
    status.HTTP_400_BAD_REQUEST: "bad_input",
    status.HTTP_401_UNAUTHORIZED: "not_authenticated",
    status.HTTP_403_FORBIDDEN: "forbidden",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too_large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    status.HTTP_429_TOO_MANY_REQUESTS: "slow_down",
}


def body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None lets an unexpected error become a logged 500."""
    del context
    if isinstance(error, DataError):
        logger.warning("The database refused a value of a request", exc_info=error)
        error = Unstorable()
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
