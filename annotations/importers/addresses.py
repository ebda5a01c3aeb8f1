"""Which web addresses an import takes and which networks they may lead to. Pure: nothing is looked up here.

What lies at an address is brought by `fetching`.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from annotations.importers.base import Batch, BringError, ItemError, StagedFile, Words, base_name, clean_path
from annotations.services import storage

MAX_CHARS = 4_000
Network = IPv4Network | IPv6Network

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_LEFT_AS_SENT = "/%:@!$&'()*+,;=?~"
# Of IPv6 only what is handed out to the world.
_WORLD = IPv6Network("2000::/3")
# What `is_global` of some Python releases lets pass: protocol assignments, 6to4 (which carries an IPv4 address to some
# other network) and its relays, and the newer range for examples.
_APART: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
_SHOWN_CHARS = 300


class AddressError(BringError):
    """An address that is refused, or that nothing can be had from."""


@dataclass(frozen=True)
class Address:
    """A checked address. `text` is what was sent, `host` lower-case ASCII, `target` what the server is asked for."""

    text: str
    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def follow(self, location: str) -> "Address":
        """Where a redirect leads; raises AddressError as `parse` does."""
        return parse(urljoin(self.text, location))


def parse(text: str) -> Address:
    """Take an address apart; raises AddressError for one that is never asked for."""
    if len(text) > MAX_CHARS:
        raise _bad(f"at most {MAX_CHARS:,} characters", f"{len(text):,}")
    if not text.isprintable() or "\\" in text:
        raise _bad("an address without line breaks, control characters and backslashes", "one with them")
    try:
        parts = urlsplit(text)
        port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError as error:
        raise _bad("a web address", f"one that does not parse ({error})") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _bad("an address that starts with http:// or https://", f"“{text[:40]}”")
    if parts.username is not None or parts.password is not None:
        raise AddressError(
            "address_with_password",
            "Expected an address without a user name or password before its host. Use a signed address, "
            "or send the picture as a file.",
        )
    return Address(text, parts.scheme, _host(parts), port, _target(parts))


def may_be_reached(ip: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an IP address is the world's or lies in an allowed network.

    No private, loopback, link-local, multicast or reserved one, and none that carries another one inside.

    >>> may_be_reached("93.184.216.34"), may_be_reached("127.0.0.1"), may_be_reached("::ffff:93.184.216.34")
    (True, False, False)
    """
    address = ip_address(ip)
    if any(address in network for network in allowed):
        return True
    return _is_of_the_world(address)


def name_of(text: str) -> str:
    """The file name that an address ends in; its host where it ends in none."""
    parts = urlsplit(text)
    last = unquote(parts.path).rstrip("/").rsplit("/", 1)[-1]
    return base_name(clean_path(last or parts.hostname or ""))


def staged(text: str, *, name: str = "", words: Words | None = None) -> StagedFile:
    """A picture at an address as an item of an import; raises AddressError for an address that is refused."""
    parse(text)
    return StagedFile(
        clean_path(name) if name else name_of(text), storage.WEB_ADDRESS + text, words or Words()
    )


def read_urls(urls: Sequence[Any]) -> Batch:
    """The pictures of a list of addresses. One that is refused becomes an error, the rest land."""
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    for position, url in enumerate(urls):
        if not isinstance(url, str):
            message = f"Expected an address as text, got {type(url).__name__}."
            errors.append(ItemError(f"urls[{position}]", "bad_address", message))
            continue
        try:
            files.append(staged(url.strip()))
        except AddressError as error:
            errors.append(ItemError(url.strip()[:_SHOWN_CHARS], error.code, error.message))
    return Batch(tuple(files), errors=tuple(errors))


def _bad(expected: str, got: str) -> AddressError:
    return AddressError("bad_address", f"Expected {expected}, got {got}. Correct the address.")


def _host(parts: SplitResult) -> str:
    """The host in ASCII: an IPv6 address in its short form without a zone, or a name."""
    sent = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            address = IPv6Address(sent)
            if address.scope_id:
                raise ValueError("a zone")
            return str(address)
        name = codecs.encode(sent, "idna").decode("ascii")
    except ValueError as error:
        raise _bad("a host name", f"“{sent[:80]}”") from error
    if not _HOST.fullmatch(name):
        raise _bad("a host name", f"“{sent[:80]}”")
    return name


def _target(parts: SplitResult) -> str:
    """Path and query, with what is no ASCII percent-encoded as browsers do it; the fragment stays here."""
    target = quote(parts.path or "/", safe=_LEFT_AS_SENT)
    return f"{target}?{quote(parts.query, safe=_LEFT_AS_SENT)}" if parts.query else target


def _is_of_the_world(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _APART) and (address.version == 4 or address in _WORLD)
