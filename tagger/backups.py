"""A backup: one tar file of the database, the stored files and the model files, with the sha256 of each member.

Members: `database.dump` (pg_dump's custom format), `media/...`, `models/...`, and at the end `manifest.json`. The
database is dumped first, in one snapshot; the files it names are immutable, so that those found after it are enough.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from tagger import embedded
from tagger.layout import Layout

FORMAT, FORMAT_VERSION = "tagger-backup", 1
DATABASE, MANIFEST, MEDIA, MODELS = "database.dump", "manifest.json", "media/", "models/"
PIECE_BYTES = 1 << 20
Progress = Callable[[int], None]
"""Called with the bytes that have just been written or read."""


class BackupError(Exception):
    """A backup cannot be made, is damaged, or does not belong here. The message names the item and the remedy."""


@dataclass
class Manifest:
    """What a backup holds: every member with its size in bytes and sha256, and the code it was made by."""

    made_at: str
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> bytes:
        content = {"format": FORMAT, "version": FORMAT_VERSION, **vars(self)}
        return json.dumps(content, indent=1, ensure_ascii=False).encode()

    @classmethod
    def read(cls, data: bytes) -> "Manifest":
        content = json.loads(data)
        if content.pop("format") != FORMAT or content.pop("version") > FORMAT_VERSION:
            raise BackupError(
                "The file is no backup that this Tagger can read; use the release that wrote it."
            )
        return cls(**content)


class _Hashed:
    """A stream that counts and hashes what is read from it."""

    def __init__(self, stream: IO[bytes], on_progress: Progress) -> None:
        self.stream, self.on_progress = stream, on_progress
        self.digest, self.size = hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.digest.update(data)
        self.size += len(data)
        self.on_progress(len(data))
        return data

    @property
    def facts(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self.digest.hexdigest()}


# -- making one


def write(target: Path, layout: Layout, *, on_progress: Progress = lambda size: None) -> Manifest:
    """Write a backup to `target`; it is whole or not there.

    Raises:
        BackupError: pg_dump failed, or the disk did.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as stream, tempfile.TemporaryDirectory(dir=target.parent) as folder:
            dump = Path(folder) / DATABASE
            manifest = _dump(dump)
            with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                with dump.open("rb") as dumped:
                    _add(archive, DATABASE, dumped, dump.stat().st_size, manifest, on_progress)
                for name, opened, size in _files(layout):
                    with opened as content:
                        _add(archive, name, content, size, manifest, on_progress)
                _add_bytes(archive, MANIFEST, manifest.as_json())
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


_OWNERLESS = ("--no-owner", "--no-privileges")


def _dump(target: Path) -> Manifest:
    """Dump the database, and count its rows in the same snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = f"--snapshot={cursor.fetchone()[0]}"
        _run("pg_dump", snapshot, "--format=custom", "--compress=gzip:1", f"--file={target}", *_OWNERLESS)
        return Manifest(datetime.now(tz=UTC).isoformat(), _applied_migrations(), _row_counts())


def _add(
    archive: tarfile.TarFile,
    name: str,
    stream: IO[bytes],
    size: int,
    manifest: Manifest,
    on_progress: Progress,
) -> None:
    hashed = _Hashed(stream, on_progress)
    member = tarfile.TarInfo(name)
    member.size = size
    archive.addfile(member, cast(IO[bytes], hashed))
    manifest.members[name] = hashed.facts


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _files(layout: Layout) -> Iterator[tuple[str, IO[bytes], int]]:
    """Member name, stream and bytes of each stored and model file. One that has gone meanwhile is passed over."""
    for key in _stored_keys(""):
        try:
            stored = cast(IO[bytes], default_storage.open(key, "rb"))
            yield MEDIA + key, stored, default_storage.size(key)
        except FileNotFoundError:
            continue
    for path in sorted(layout.models.rglob("*")):
        if path.is_file() and not _is_unfinished(path.relative_to(layout.models).as_posix()):
            name = MODELS + path.relative_to(layout.models).as_posix()
            yield name, path.open("rb"), path.stat().st_size


def _stored_keys(folder: str) -> Iterator[str]:
    """Keys below a folder of the storage, sorted; a storage that has no such folder has no keys."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        if not _is_unfinished(name):
            yield f"{folder}{name}"
    for name in sorted(folders):
        yield from _stored_keys(f"{folder}{name}/")


def _is_unfinished(name: str) -> bool:
    """Files are written under a dotted name first, and so are folders of model files."""
    return any(part.startswith(".") for part in name.split("/"))


def _applied_migrations() -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    for app, name in sorted(MigrationLoader(connection).applied_migrations):
        applied.setdefault(app, []).append(name)
    return applied


def _row_counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        counts = {}
        for name in names:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
            counts[name] = cursor.fetchone()[0]
    return counts


# -- reading one


def check(source: Path, *, on_progress: Progress = lambda size: None) -> Manifest:
    """Read a backup through and compare every member with its manifest. Writes nothing.

    Raises:
        BackupError: it is cut, damaged, no backup, or of newer code than this.
    """
    try:
        found, manifest = _read_through(source, on_progress)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BackupError(f"{source} cannot be read as a backup: {error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{source} has no manifest that can be read; use another backup.") from error
    if manifest is None:
        raise BackupError(f"{source} ends before its manifest: it is cut or no backup. Use another one.")
    for name, facts in manifest.members.items():
        if found.get(name) != facts:
            raise BackupError(f"{source}: {name} is missing or damaged. Use another backup.")
    if strangers := found.keys() - manifest.members.keys():
        raise BackupError(f"{source} holds {min(strangers)}, which its manifest does not name.")
    _refuse_newer(manifest)
    return manifest


def _read_through(source: Path, on_progress: Progress) -> tuple[dict[str, Any], Manifest | None]:
    found: dict[str, Any] = {}
    manifest = None
    for name, stream in _members(source):
        if name == MANIFEST:
            manifest = Manifest.read(stream.read())
            continue
        hashed = _Hashed(stream, on_progress)
        while hashed.read(PIECE_BYTES):
            pass
        found[name] = hashed.facts
    return found, manifest


def _members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Every member in order. A name that leads elsewhere, and anything but a plain file, is refused."""
    with tarfile.open(source, mode="r|") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            parts = member.name.split("/")
            if stream is None or member.name.startswith("/") or ".." in parts or "" in parts:
                raise BackupError(f"{source} holds {member.name!r}, which no backup has. Use another one.")
            yield member.name, stream


def _refuse_newer(manifest: Manifest) -> None:
    known = MigrationLoader(None).disk_migrations
    for app, names in manifest.migrations.items():
        for name in names:
            if (app, name) not in known:
                raise BackupError(
                    f"The backup was made by newer code (migration {app}.{name}). Update Tagger, then restore."
                )


def is_empty() -> bool:
    """Whether the database holds no project, nor tables at all: what a backup may replace."""
    with connection.cursor() as cursor:
        if "annotations_project" not in connection.introspection.table_names(cursor):
            return True
        cursor.execute("SELECT NOT EXISTS (SELECT FROM annotations_project)")
        return bool(cursor.fetchone()[0])


def restore(
    source: Path, layout: Layout, manifest: Manifest, *, on_progress: Progress = lambda size: None
) -> None:
    """Put a checked backup in place: files first, which nobody names yet, then the database in one transaction.

    Stopped at any moment, it can be run again. The caller has made sure of `is_empty`, and has `manifest` from `check`.

    Raises:
        BackupError: a file could not be written, pg_restore failed, or not every row arrived.
    """
    with tempfile.TemporaryDirectory(dir=layout.root) as folder:
        dump = Path(folder) / DATABASE
        try:
            for name, stream in _members(source):
                _put(name, _Hashed(stream, on_progress), dump, layout)
        except OSError as error:
            raise BackupError(
                f"The files cannot be written: {error.strerror}. Nothing was restored."
            ) from error
        _empty_database()
        _run_restore(dump)
    if (arrived := _row_counts()) != manifest.rows:
        wrong = next(name for name in manifest.rows | arrived if manifest.rows.get(name) != arrived.get(name))
        raise BackupError(
            f"{wrong}: expected {manifest.rows.get(wrong)} rows, got {arrived.get(wrong)}. Restore again."
        )


def _put(name: str, stream: _Hashed, dump: Path, layout: Layout) -> None:
    if name == DATABASE:
        _copy(stream, dump)
    elif name.startswith(MODELS):
        _copy(stream, layout.models / name.removeprefix(MODELS))
    elif name.startswith(MEDIA):
        key = name.removeprefix(MEDIA)
        default_storage.delete(key)  # of a try that was stopped
        default_storage.save(key, File(cast(IO[bytes], stream), name=key))


def _copy(stream: _Hashed, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while data := stream.read(PIECE_BYTES):
            file.write(data)


def _empty_database() -> None:
    """Drop the tables that are there: a release that is older than they are does not know all of them."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        if names := connection.introspection.table_names(cursor):
            tables = sql.SQL(", ").join(map(sql.Identifier, names))
            cursor.execute(sql.SQL("DROP TABLE {} CASCADE").format(tables))
    connection.close()


def _run_restore(dump: Path) -> None:
    """All or nothing. Extensions are left to the database: who may create one is not ours to say."""
    listed = _run("pg_restore", "--list", str(dump))
    wanted = dump.with_suffix(".list")
    wanted.write_text("".join(f"{line}\n" for line in listed.splitlines() if " EXTENSION " not in line))
    _run(
        *("pg_restore", "--single-transaction", "--exit-on-error", "--clean", "--if-exists", *_OWNERLESS),
        *(f"--use-list={wanted}", f"--dbname={connection.settings_dict['NAME']}", str(dump)),
    )


def _run(program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs against the database of the settings.

    Raises:
        BackupError: with what the program said.
    """
    path = embedded.postgres_binaries() / program
    done = subprocess.run(
        [path, *arguments], env=os.environ | _connection(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _connection() -> dict[str, str]:
    """The database as libpq's environment variables."""
    settings = connection.settings_dict
    named = {name: str(settings[name]) for name in ("HOST", "PORT", "USER", "PASSWORD") if settings.get(name)}
    options = {
        name.upper(): str(value) for name, value in settings["OPTIONS"].items() if name.startswith("ssl")
    }
    return {f"PG{name}": value for name, value in (named | options).items()} | {
        "PGDATABASE": settings["NAME"]
    }
