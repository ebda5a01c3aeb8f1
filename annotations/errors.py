"""What can go wrong in annotations, as errors with fields. `tagger/api_errors.py` turns them into HTTP."""

from typing import Any


class DomainError(Exception):
    """Base. `code` is stable and for programs, `message` for people, `fields` for details."""

    code = "invalid"
    status = 400
    message = "The request is not valid."

    def __init__(self, message: str | None = None, *, code: str | None = None, **fields: Any) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.fields = fields
        super().__init__(self.message)


class BadInput(DomainError):
    status = 400


class Unstorable(BadInput):
    """A value that no database can hold, found by the database itself."""

    code = "bad_input"
    message = (
        "The database cannot hold a value of this request: a text with a null character, or a number that is too "
        "large. Correct it and send it again."
    )


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = "It does not exist, or it is not yours."


class RoleTooLow(DomainError):
    code = "role_too_low"
    status = 403
    message = "Your role in this project does not allow this."


class Conflict(DomainError):
    """The state has moved on; `state` in the fields says where to."""

    code = "stale"
    status = 409
    message = "Somebody was faster: the state has changed."


class TooLarge(DomainError):
    code = "too_large"
    status = 413


class Refused(DomainError):
    """Well-formed, but refused with a reason."""

    code = "refused"
    status = 422


class DiskFull(DomainError):
    code = "disk_full"
    status = 507
    message = (
        "The server's disk is full: nothing of this request was stored. Free some space, then send it again."
    )


class Unavailable(DomainError):
    code = "unavailable"
    status = 503
    message = "A part that this needs is down."
