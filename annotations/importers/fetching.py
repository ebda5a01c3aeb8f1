"""Brings what lies at a web address into staging, within limits of bytes and time, or says why it cannot be had.

Servers are strangers: what they may make us connect to is the matter of `guarded_network`. A failure that may pass
is tried again; every refusal says what to do.
"""

import contextlib
import functools
import random
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore2
from django.conf import settings

from annotations.importers import addresses
from annotations.importers.addresses import Address, AddressError
from annotations.importers.guarded_network import STEP_S, GuardedBackend, Limits, StoppedError
from annotations.picture_decoding import MAX_BYTES
from annotations.services import storage

WHOLE_S = 120.0
CONNECT_S = 10.0
SILENCE_S = 20.0
MAX_REDIRECTS = 5
MAX_AT_ONE_HOST = 4
# Waits before the second and the third try, unless the server says how long it wants to be left alone.
PAUSES_S = (1.0, 4.0)
MAX_PAUSE_S = 30.0

_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PAGES = ("text/html", "application/xhtml+xml")


class _MayPassError(Exception):
    """A failure that another try may mend; `error` is what people read when none does."""

    def __init__(self, error: AddressError, *, pause_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error, self.pause_s = error, pause_s


class Fetcher:
    """Reads addresses for one import; its threads share it. `stop` ends what is under way."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lines: dict[str, threading.Semaphore] = defaultdict(_line)
        self._lock = threading.Lock()

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """The certificates that this machine trusts; SSL_CERT_FILE names others."""
        return httpcore2.default_ssl_context()

    def fetch(self, text: str, key: str) -> None:
        """Store the bytes at an address under `key`. Raises AddressError; StoppedError when nobody waits."""
        address = addresses.parse(text)
        limits = Limits(WHOLE_S, self._stop)
        for pause_s in PAUSES_S:
            try:
                return self._follow(address, key, limits)
            except _MayPassError as failure:
                self._wait(failure, pause_s, limits)
        try:
            return self._follow(address, key, limits)
        except _MayPassError as failure:
            raise failure.error from failure

    def _wait(self, failure: _MayPassError, pause_s: float, limits: Limits) -> None:
        """Wait before another try, or give up where the time would not suffice."""
        if failure.pause_s is not None:
            pause_s = failure.pause_s
        if pause_s > min(MAX_PAUSE_S, limits.left_s()):
            raise failure.error from failure
        # Not every thread in the same moment.
        if self._stop.wait(pause_s * random.uniform(1.0, 1.2)):  # noqa: S311
            raise StoppedError

    def _follow(self, address: Address, key: str, limits: Limits) -> None:
        """Ask for an address and for what it redirects to; each is checked like the first one."""
        here = address
        for _ in range(MAX_REDIRECTS + 1):
            try:
                leads_to = self._ask(here, key, limits)
                if leads_to is None:
                    return
                here = here.follow(leads_to)
            except AddressError as error:
                if here is address:
                    raise
                raise AddressError(
                    error.code, f"It redirects to “{here.text[:200]}”. {error.message}"
                ) from error
        raise AddressError(
            "too_many_redirects",
            f"Expected at most {MAX_REDIRECTS} redirects, got more. Use the address that they end at.",
        )

    def _ask(self, address: Address, key: str, limits: Limits) -> str | None:
        """Store what one address answers; where it redirects to instead, if it does."""
        timeouts = {"connect": CONNECT_S, "read": SILENCE_S, "write": SILENCE_S, "pool": CONNECT_S}
        backend = GuardedBackend(settings.IMPORT_NETWORKS, limits)
        with (
            self._in_line(address.host, limits),
            _as_address_errors(),
            httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
            pool.stream(
                "GET", _url(address), headers=_headers(address), extensions={"timeout": timeouts}
            ) as answer,
        ):
            said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            if answer.status in _REDIRECTS and "location" in said:
                return said["location"]
            _check(answer.status, said)
            _store(answer, key)
            return None

    @contextlib.contextmanager
    def _in_line(self, host: str, limits: Limits) -> Iterator[None]:
        """Let a few threads at a time talk to a host; waiting for one's turn is none of the server's time."""
        with self._lock:
            line = self._lines[host]
        came_at = time.monotonic()
        while not line.acquire(timeout=STEP_S):
            if self._stop.is_set():
                raise StoppedError
        limits.ends_at += time.monotonic() - came_at
        try:
            yield
        finally:
            line.release()


def _line() -> threading.Semaphore:
    return threading.Semaphore(MAX_AT_ONE_HOST)


def _url(address: Address) -> httpcore2.URL:
    """In parts, so that nothing takes the text apart in another way than the check did."""
    return httpcore2.URL(
        scheme=address.scheme.encode(),
        host=address.host.encode(),
        port=address.port,
        target=address.target.encode(),
    )


def _headers(address: Address) -> list[tuple[str, str]]:
    return [
        ("Host", address.host_header),
        ("User-Agent", f"Tagger/{settings.VERSION} (import of images)"),
        ("Accept", "image/*,*/*;q=0.5"),
        # Packed pictures gain nothing, and what unpacks without end is not let in.
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]


@contextlib.contextmanager
def _as_address_errors() -> Iterator[None]:
    """Turn the client's errors into what people read; those that another try may mend are marked."""
    try:
        yield
    except httpcore2.ConnectError as error:
        raise _may_pass("address_unreachable", f"Its server cannot be reached ({error}).") from error
    except httpcore2.TimeoutException as error:
        raise _may_pass("address_timeout", "Its server does not answer in time.") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _may_pass(
            "address_broken", f"Its server's answer breaks off or is malformed ({error})."
        ) from error


def _may_pass(code: str, what: str, *, pause_s: float | None = None) -> _MayPassError:
    message = f"{what} Import it again later, or send the picture as a file."
    return _MayPassError(AddressError(code, message), pause_s=pause_s)


def _check(status: int, said: dict[str, str]) -> None:
    """Refuse an answer that its head gives away."""
    if status in _PASSING:
        raise _may_pass("address_busy", f"Its server answers {status}.", pause_s=_retry_after_s(said))
    if status in (404, 410):
        raise AddressError(
            "address_missing", f"Its server answers {status}: nothing lies there. Correct the address."
        )
    if status in (401, 403, 407):
        raise AddressError(
            "address_forbidden",
            f"Its server refuses it ({status}). Use an address that needs no sign-in, such as a signed one, "
            "or send the picture as a file.",
        )
    if status != 200:
        raise AddressError(
            "address_failed", f"Expected a picture, got the answer {status}. Open the address in a browser."
        )
    kind = said.get("content-type", "").split(";")[0].strip().lower()
    if kind in _PAGES:
        raise AddressError(
            "not_an_image",
            "Expected a picture, got a web page (HTML). Open it and copy the address of the picture in it.",
        )
    if said.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise AddressError(
            "address_packed",
            f"Expected the picture's own bytes, got them packed as {said['content-encoding'][:40]}. "
            "Send the picture as a file.",
        )
    length = said.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > MAX_BYTES:
        raise _too_large(f"{int(length) / 2**20:,.0f} MB")


def _store(answer: httpcore2.Response, key: str) -> None:
    """Write the bytes as they come; they appear under the key when all of them are there."""
    count = 0
    with storage.writer(key) as target:
        for piece in answer.iter_stream():
            count += len(piece)
            if count > MAX_BYTES:
                raise _too_large("more")
            target.write(piece)


def _too_large(got: str) -> AddressError:
    return AddressError(
        "too_large",
        f"Expected at most {MAX_BYTES // 2**20} MB, got {got}. Save the picture smaller or at a lower quality.",
    )


def _retry_after_s(said: dict[str, str]) -> float | None:
    """Seconds from now that a server asks for, be it as a number or as a date; None if it says nothing sensible."""
    value = said.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
