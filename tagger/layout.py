"""Where things lie below TAGGER_DATA. Plain paths: no Django, and nothing is created here."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tagger import env

BASE_DIR = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT_BYTES = 100  # the kernel allows 107 with its terminator


@dataclass(frozen=True)
class Layout:
    """The folders and files of one installation."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Layout":
        return cls(env.path("TAGGER_DATA", BASE_DIR / "var"))

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def secret_key(self) -> Path:
        return self.root / "secret_key"

    @property
    def stack(self) -> Path:
        return self.run / "stack.json"

    @cached_property
    def sockets(self) -> Path:
        """Below `run`, or, where that is too long for a socket's address, a folder of its own in /tmp."""
        inside = self.run / "sockets"
        if len(bytes(inside / ".s.PGSQL.5432.lock")) < SOCKET_PATH_LIMIT_BYTES:
            return inside
        name = hashlib.sha256(bytes(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"tagger-{name}"  # noqa: S108 - made 0700, and its owner is checked before use

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def supervisor_socket(self) -> Path:
        return self.sockets / "supervisor.sock"
