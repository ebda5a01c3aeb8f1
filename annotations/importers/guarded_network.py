"""Connections that an import may open: only to networks that may be reached, and none that outlives its time.

A name is looked up once, every address it stands for is checked, and the connection goes to one of those very
addresses, so that a name cannot lead elsewhere after the check. TLS verifies the name all the same.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpcore2

from annotations.importers.addresses import AddressError, Network, may_be_reached

# How long a wait may go on before somebody's wish to stop is seen.
STEP_S = 0.5
MOST_TRIED = 4


class StoppedError(Exception):
    """The import ends: nobody waits for this answer any more."""


@dataclass
class Limits:
    """How long one address may take in all, on the clock of `time.monotonic`, and whether anybody still waits."""

    whole_s: float
    stop: threading.Event
    ends_at: float = 0.0

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.whole_s

    def left_s(self) -> float:
        """Seconds that are left; raises AddressError when there are none, StoppedError when nobody waits."""
        if self.stop.is_set():
            raise StoppedError
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise AddressError(
                "address_timeout",
                f"Expected the whole answer within {self.whole_s:,.0f} s, got a part of it. Import it again later, "
                "or send the picture as a file.",
            )
        return left

    def within(self, timeout_s: float | None) -> float:
        left = self.left_s()
        return left if timeout_s is None else min(left, timeout_s)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens TCP connections for one address and its redirects."""

    def __init__(self, allowed: Sequence[Network], limits: Limits) -> None:
        self._allowed, self._limits = allowed, limits
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        found = _look_up(host, port)
        if not all(may_be_reached(ip, self._allowed) for ip in found):
            raise AddressError(
                "private_address",
                f"The host “{host}” is not in the public internet, and this server reads nothing else. "
                "Its operator names the networks that may be read in TAGGER_IMPORT_NETWORKS.",
            )
        failure: Exception | None = None
        for ip in found[:MOST_TRIED]:
            try:
                inner = self._plain.connect_tcp(
                    ip, port, self._limits.within(timeout), local_address, socket_options or ()
                )
                return _LimitedStream(inner, self._limits)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("no address to connect to")


class _LimitedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the limits; reading looks up for a wish to stop."""

    def __init__(self, inner: httpcore2.NetworkStream, limits: Limits) -> None:
        self._inner, self._limits = inner, limits

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silent_at = time.monotonic() + self._limits.within(timeout)
        while True:
            try:
                return self._inner.read(max_bytes, self._limits.within(STEP_S))
            except httpcore2.ReadTimeout:
                if time.monotonic() >= silent_at:
                    self._limits.left_s()
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._limits.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            secured = self._inner.start_tls(ssl_context, server_hostname, self._limits.within(timeout))
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise AddressError(
                    "certificate",
                    f"Its server's certificate does not hold: {error.__cause__.verify_message.rstrip('.')}. "
                    "Ask whoever runs the server, or send the picture as a file.",
                ) from error
            raise
        return _LimitedStream(secured, self._limits)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _look_up(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the order in which the system prefers them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise AddressError(
            "host_unknown",
            f"Expected a host that has an address, got “{host}”, which has none. Correct the name.",
        ) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
