"""Pictures in S3 buckets: which places may be read, what lies below one, page by page, and the bytes of an object.

Credentials come from the environment alone; what a bucket holds is never held in memory as a whole.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from annotations.errors import BadInput, Refused
from annotations.importers.base import BringError, StagedFile, clean_path
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.guarded_network import Limits
from annotations.picture_decoding import MAX_BYTES
from annotations.services import storage

WHOLE_S = 120.0
PAGE_SIZE = 1_000
TRIES = 3
_PIECE_BYTES = 2**18
_WRONG_CREDENTIALS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AuthFailure",
)


@dataclass(frozen=True)
class Place:
    """A bucket and what the keys in it begin with."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.prefix}"

    @classmethod
    def of(cls, text: str) -> "Place":
        bucket, _, prefix = text.strip().removeprefix("s3://").partition("/")
        return cls(bucket, prefix)

    def within(self, other: "Place") -> bool:
        """Whether every key of this place lies in the other one's folder, or anywhere in its bucket."""
        folder = other.prefix.rstrip("/")
        return self.bucket == other.bucket and (not folder or self.prefix.startswith(f"{folder}/"))


@dataclass(frozen=True)
class Listed:
    """One page of a listing: its pictures, and the last key it looked at."""

    files: tuple[StagedFile, ...]
    last_key: str


def allowed_names() -> list[str]:
    """The buckets and folders that imports may read, as people write them."""
    return [str(Place.of(name)).rstrip("/") for name in settings.IMPORT_BUCKETS]


def allowed(text: str) -> Place:
    """The place that a text names, if the settings allow it and credentials are there. Asks no server."""
    if not settings.IMPORT_BUCKETS:
        raise Refused(
            "This server allows no buckets to be read. Its operator names them in TAGGER_IMPORT_BUCKETS.",
            code="no_import_buckets",
        )
    place = Place.of(text)
    if not place.bucket or "\0" in text:
        raise BadInput(f"Expected bucket/prefix, got “{text[:80]}”.", code="bad_bucket")
    places = [Place.of(one) for one in settings.IMPORT_BUCKETS]
    if not any(place.within(one) for one in places):
        # The folder itself, written without the slash behind it.
        place = Place(place.bucket, f"{place.prefix}/")
    if not any(place.within(one) for one in places):
        raise BadInput(
            f"“{text[:200]}” is not in a bucket that this server may read. Its operator names those in "
            "TAGGER_IMPORT_BUCKETS.",
            code="bucket_not_allowed",
        )
    _credentials()
    return place


class Buckets:
    """Reads buckets for one import; its threads share it."""

    def __init__(self) -> None:
        # Heavy, and most processes never need it.
        import boto3
        from botocore.config import Config

        found = _credentials()
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.S3_ENDPOINT or None,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key,
            aws_session_token=found.token,
            config=Config(
                connect_timeout=10,
                read_timeout=20,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=16,
                user_agent_extra=f"Tagger/{settings.VERSION}",
            ),
        )

    def pages(self, place: Place, *, after: str = "") -> Iterator[Listed]:
        """The pictures below a place in the order of their keys, from behind `after`. Raises BadInput."""
        request = {"Bucket": place.bucket, "Prefix": place.prefix, "MaxKeys": PAGE_SIZE}
        if after:
            request["StartAfter"] = after
        while True:
            with _as_bad_input(place.bucket):
                answer = self._client.list_objects_v2(**request)
            keys = [entry["Key"] for entry in answer.get("Contents", [])]
            if keys:
                yield Listed(tuple(_staged(place, key) for key in keys if _is_picture(key)), keys[-1])
            if not answer.get("IsTruncated"):
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def fetch(self, text: str, key: str, limits: Limits) -> None:
        """Store the bytes of bucket/key under `key`. Raises BringError for this one, BadInput where none can be had."""
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        bucket, _, name = text.partition("/")
        broken: Exception | None = None
        for _ in range(TRIES):
            try:
                with _as_bad_input(bucket):
                    self._copy(bucket, name, key, limits)
                return
            except BadInput as error:
                if not isinstance(
                    error.__cause__, IncompleteReadError | ReadTimeoutError | ResponseStreamingError
                ):
                    raise
                broken = error
        raise BringError(
            "object_broken", "Its bytes break off on the way each time. Import it again later."
        ) from broken

    def _copy(self, bucket: str, name: str, key: str, limits: Limits) -> None:
        answer = self._client.get_object(Bucket=bucket, Key=name)
        with contextlib.closing(answer["Body"]) as body:
            if answer["ContentLength"] > MAX_BYTES:
                raise BringError(
                    "too_large",
                    f"Expected at most {MAX_BYTES // 2**20} MB, got {answer['ContentLength'] / 2**20:,.0f} MB. "
                    "Save the picture smaller or at a lower quality.",
                )
            with storage.writer(key) as target:
                for piece in body.iter_chunks(_PIECE_BYTES):
                    limits.left_s()
                    target.write(piece)


def _credentials() -> Any:
    from botocore.credentials import EnvProvider
    from botocore.exceptions import PartialCredentialsError

    try:
        found = EnvProvider().load()
    except PartialCredentialsError:
        found = None
    if found is None:
        raise Refused(
            "This server has no credentials for S3. Its operator sets AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            code="no_s3_credentials",
        )
    return found.get_frozen_credentials()


@contextlib.contextmanager
def _as_bad_input(bucket: str) -> Iterator[None]:
    """Turn the client's errors into what people read: those of one object, and those that end an import."""
    from botocore.exceptions import BotoCoreError, ClientError

    again = "What has landed stays; import it again afterwards."
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ("NoSuchKey", "404"):
            raise BringError(
                "object_missing", "It is not in the bucket any more. Upload it again."
            ) from error
        if code in ("InvalidObjectState",):
            raise BringError("object_archived", "It is archived. Restore it in the bucket first.") from error
        if error.operation_name == "GetObject" and code in ("AccessDenied", "403"):
            raise BringError(
                "object_forbidden", "The bucket refuses it. Let this server's credentials read the object."
            ) from error
        if code == "NoSuchBucket":
            raise BadInput(
                f"There is no bucket “{bucket}”. Correct the name.", code="no_such_bucket"
            ) from error
        if code in _WRONG_CREDENTIALS:
            raise BadInput(
                f"The bucket's server does not take this server's credentials ({code}). Its operator corrects "
                f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. {again}",
                code="wrong_s3_credentials",
            ) from error
        if code in ("AccessDenied", "403"):
            raise BadInput(
                f"The credentials of this server may not list the bucket “{bucket}”. Allow them s3:ListBucket.",
                code="bucket_forbidden",
            ) from error
        raise BadInput(f"The bucket's server answers {code}. {again}", code="bucket_failed") from error
    except BotoCoreError as error:
        raise BadInput(
            f"The bucket's server cannot be read ({error}). Its operator checks TAGGER_S3_ENDPOINT. {again}",
            code="bucket_unreachable",
        ) from error


def _is_picture(key: str) -> bool:
    name = PurePosixPath(key).name
    return (
        not key.endswith("/")
        and not name.startswith(".")
        and PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
    )


def _staged(place: Place, key: str) -> StagedFile:
    """An object as an item; its name is its key below the last folder of the prefix."""
    folder = place.prefix.rpartition("/")[0]
    return StagedFile(clean_path(key.removeprefix(folder)), f"{storage.BUCKET_OBJECT}{place.bucket}/{key}")
