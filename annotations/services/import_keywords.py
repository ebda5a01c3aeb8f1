"""Before an import that asks for it lands: what its files say of themselves is put beside what was sent with them.

A caption from a file only fills an empty one. Runs before tags are created, since a complete item answers all of them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import transaction

from annotations.importers import keywords, words
from annotations.importers.base import ItemError, Words
from annotations.models import ImportItem, ImportJob
from annotations.picture_decoding import MAX_BYTES
from annotations.services import jobs, storage
from annotations.xmp import Said

AT_ONCE = 64
THREADS = 4
# A file that ends its worker when it is read is left to the import, which finds it and goes on without it.
ATTEMPTS_MOST = 2


def gather(job: ImportJob) -> None:
    """Read the files of a claimed job. Done again by a worker's successor, it has the same effect."""
    if not job.options.get("file_keywords") or job.attempts > ATTEMPTS_MOST:
        return
    waiting = job.items.filter(state=ImportItem.State.WAITING).order_by("pk")
    after = 0
    with ThreadPoolExecutor(THREADS) as pool:
        while items := list(waiting.filter(pk__gt=after)[:AT_ONCE]):
            _store(job, items, list(pool.map(_said, items)))
            after = items[-1].pk


def _said(item: ImportItem) -> Said:
    """Runs in a thread: no database here. A file that cannot be read is refused later, with its reason."""
    if storage.is_elsewhere(item.staged_key):
        return Said()  # fetched only when it lands
    try:
        return keywords.read(storage.read(item.staged_key, limit_bytes=MAX_BYTES))
    except OSError:
        return Said()


@transaction.atomic
def _store(job: ImportJob, items: Sequence[ImportItem], said: Sequence[Said]) -> None:
    row, errors, changed = jobs.held(job), [], []
    for item, found in zip(items, said, strict=True):
        if not (found.caption or found.tags):
            continue
        clean, told = words.storable(Words(found.caption, found.tags), item=item.name)
        errors += told
        item.file_caption = (clean.caption or "").strip()
        item.tags = list(dict.fromkeys((*item.tags, *clean.tags)))
        changed.append(item)
    ImportItem.objects.bulk_update(changed, ["file_caption", "tags"])
    jobs.beat(job, errors=_with(row.errors, errors))


def _with(had: list[dict[str, str]], errors: Sequence[ItemError]) -> list[dict[str, str]]:
    """Each once: a successor finds what its predecessor has told."""
    fresh = [told for error in errors if (told := error.as_json()) not in had]
    return [*had, *fresh][: jobs.MAX_ERRORS_KEPT]
