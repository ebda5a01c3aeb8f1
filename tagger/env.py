"""Typed reading of environment variables. A bad value raises and names the variable. No Django."""

import os
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class BadSettingError(ValueError):
    """An environment variable that cannot be used."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name = name
        self.value = value
        self.expected = expected
        super().__init__(f"{name}: expected {expected}, got {value!r}. Correct the variable or unset it.")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name)
    if not value:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise BadSettingError(name, value, "yes or no (1, true, on; 0, false, off)")


def integer(name: str, default: int, *, minimum: int, maximum: int | None = None) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise BadSettingError(name, value, "a whole number") from error
    if number < minimum or (maximum is not None and number > maximum):
        bounds = f"from {minimum} to {maximum}" if maximum is not None else f"of at least {minimum}"
        raise BadSettingError(name, value, f"a whole number {bounds}")
    return number


def token(name: str, *, at_least: int = 16) -> str:
    """A shared secret of visible ASCII characters, as a header can carry it; empty where there is none."""
    value = text(name)
    if value and (len(value) < at_least or not value.isascii() or not value.isprintable() or " " in value):
        raise BadSettingError(name, "…", f"{at_least} or more letters, digits and signs without a space")
    return value


def items(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list; empty parts are dropped."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks in CIDR notation; a single address stands for itself."""
    found = []
    for part in items(name):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise BadSettingError(name, part, "networks such as 10.20.0.0/16 or fd00:12::/32") from error
    return found


def path(name: str, default: Path) -> Path:
    value = text(name)
    return Path(value).expanduser().absolute() if value else default


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadSettingError(name, value, "one of " + ", ".join(allowed))
    return value


def database(name: str) -> dict[str, Any] | None:
    """`postgresql://user:password@host:port/name?sslmode=require` as Django writes it; None if unset."""
    url = text(name)
    if not url:
        return None
    expected = "postgresql://user:password@host:port/name"
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        # The address may hold a password: it is not repeated in the message.
        raise BadSettingError(name, f"{parts.scheme}://…", expected)
    try:
        port = parts.port
    except ValueError as error:
        raise BadSettingError(name, f"{parts.scheme}://…", expected) from error
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": options.pop("port", None) or port or "",
        "OPTIONS": options,
    }


def redis_url(name: str, default: str) -> str:
    url = text(name, default)
    scheme = urlsplit(url).scheme
    if scheme not in ("redis", "rediss", "unix"):
        raise BadSettingError(
            name, f"{scheme}://…", "redis://host:port/0, rediss://… or unix:///path/to/socket"
        )
    return url


def secret_key(name: str, file: Path) -> str:
    """The variable, else a key that is made once and kept in `file`, readable by its owner only."""
    if value := text(name):
        return value
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _existing_key(name, file)
    with os.fdopen(handle, "w") as stream:
        stream.write(key := secrets.token_urlsafe(64))
    return key


def _existing_key(name: str, file: Path) -> str:
    key = file.read_text().strip()
    if len(key) < 50:
        raise BadSettingError(name, f"{len(key)} characters in {file}", "a key of 50 characters or more")
    return key
