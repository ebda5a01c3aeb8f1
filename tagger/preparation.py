"""What must be true before the site starts: schema, first admin, collected files. Repeating is cheap."""

import hashlib
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from tagger.staticfiles import NODE_MODULES, VENDOR_FILES

FIRST_ADMIN = "admin"
UNUSED_FILES = ["redoc"]


def migrate() -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except ProgrammingError as error:
            raise CommandError(
                "The database lacks the extension pgvector (0.8 or newer), and this account may not create "
                "it. Let an administrator run CREATE EXTENSION vector there."
            ) from error
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def first_admin() -> str | None:
    """Create the first account if there is none. Returns a password that was made here, to be shown once."""
    users = get_user_model()
    if users.objects.exists():
        return None
    given = os.environ.get("TAGGER_ADMIN_PASSWORD", "")
    made = secrets.token_urlsafe(9)
    users.objects.create_superuser(FIRST_ADMIN, password=given or made)
    return None if given else made


def collect_files() -> None:
    """Collect static files, unless the sources are those of last time, or are served where they lie."""
    if missing := [file for file in VENDOR_FILES.values() if not (NODE_MODULES / file).exists()]:
        raise CommandError(f"Front-end libraries are missing ({missing[0]}...). Run `npm ci`, or `make run`.")
    if not settings.STATIC_MANIFEST:
        return
    note = Path(settings.STATIC_ROOT) / ".fingerprint"
    fingerprint = _fingerprint()
    if note.exists() and note.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED_FILES)
    note.write_text(fingerprint)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(UNUSED_FILES):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
