"""File names that every system can unpack, and words made safe for formats in which a letter has a meaning."""

import hashlib
import re
import unicodedata

_UNSAFE = frozenset('<>:"\\|?*#%')
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
_PART_MAX_BYTES = 180
_PART = r"[\w-]+(?:\.[\w-]+)*"
# What most paths are, so that they need not be looked at letter by letter; but for reserved words.
_PLAIN = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_KINDS = (("jpg", "jpeg", "jpe", "jfif"), ("tif", "tiff"), ("heic", "heif"))
_SHA_CHARS = 12


def safe_path(path: str, extension: str) -> str:
    """An image's path for an archive: relative, without letters that some system forbids, with its true ending.

    >>> safe_path('a:b/../c?.JPG', 'jpg'), safe_path('CON', 'png')
    ('a_b/c_.JPG', 'CON_.png')
    """
    safe = path if _is_plain(path) else "/".join(_safe_parts(path))
    stem, dot, ending = safe.rpartition(".")
    has_ending = dot and stem and not stem.endswith("/") and _same_kind(ending.lower(), extension)
    return safe if has_ending else f"{safe}.{extension}"


def clash_key(file: str) -> bytes:
    """Equal for two files that would be one on a system that ignores case, or to a reader that drops endings."""
    bare = file.rpartition(".")[0]
    folded = bare.lower() if bare.isascii() else unicodedata.normalize("NFC", bare).casefold()
    return hashlib.blake2b(folded.encode(), digest_size=8).digest()


def told_apart(file: str, sha256: str) -> str:
    """The file with a piece of its sha256 in its name."""
    stem, _, ending = file.rpartition(".")
    return f"{stem}-{sha256[:_SHA_CHARS]}.{ending}"


def stem(file: str) -> str:
    """The path without its ending."""
    return file.rpartition(".")[0]


def escaped(word: str, letters: str) -> str:
    """The word with each of `letters`, `%` and what does not print as `%XX`: `urllib.parse.unquote` reads it back.

    >>> escaped('50% a/b', '/')
    '50%25 a%2Fb'
    """
    return "".join(
        "".join(f"%{byte:02X}" for byte in letter.encode())
        if letter in letters or letter == "%" or not letter.isprintable()
        else letter
        for letter in word
    )


def _is_plain(path: str) -> bool:
    if len(path) > _PART_MAX_BYTES or _PLAIN.fullmatch(path) is None:
        return False
    return _RESERVED.isdisjoint([part.partition(".")[0].lower() for part in path.split("/")])


def _safe_parts(path: str) -> list[str]:
    return [_safe_part(part) for part in path.split("/") if part not in ("", ".", "..")] or ["unnamed"]


def _safe_part(part: str) -> str:
    cleaned = "".join("_" if letter in _UNSAFE or not letter.isprintable() else letter for letter in part)
    start, dot, rest = _cut(cleaned.strip().rstrip(".")).partition(".")
    if start.lower() in _RESERVED:
        start += "_"
    return start + dot + rest or "_"


def _cut(part: str) -> str:
    """At most 180 bytes, its ending kept: with what is added to it, a name must fit in 255."""
    if len(part.encode()) <= _PART_MAX_BYTES:
        return part
    start, dot, ending = part.rpartition(".")
    ending = dot + ending if dot and len(ending) <= 5 else ""
    kept = (start if ending else part).encode()[: _PART_MAX_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore").rstrip() + ending


def _same_kind(ending: str, extension: str) -> bool:
    return ending == extension or any(ending in kind and extension in kind for kind in _KINDS)
