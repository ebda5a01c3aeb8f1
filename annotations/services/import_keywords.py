"""Before an import that asks for it lands: what its files say of themselves is put beside what was sent with them.

A caption from a file only fills an empty one. Runs before tags are created, since a complete item answers all of them:
for that, pictures from elsewhere are all brought into staging first, where landing finds them.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from django.db import transaction

from annotations.importers import elsewhere, keywords, words
from annotations.importers.base import BringError, ItemError, Words
from annotations.importers.elsewhere import Elsewhere
from annotations.models import ImportItem, ImportJob
from annotations.picture_decoding import MAX_BYTES
from annotations.services import import_items, jobs, storage
from annotations.services.import_items import WaitingItem
from annotations.xmp import Said

AT_ONCE = 64
# More threads than this wait for servers; each file that is read takes its place in memory.
THREADS, READ_AT_ONCE = 16, 4
# A file that ends its worker when it is read is left to the import, which finds it and goes on without it.
ATTEMPTS_MOST = 2

Told = Said | BringError
_reading = threading.BoundedSemaphore(READ_AT_ONCE)


def gather(job: ImportJob) -> None:
    """Read the files of a claimed job. Done again by a worker's successor, it has the same effect.

    Raises CancelRequestedError or jobs.ClaimLost, and BadInput for a bucket that cannot be read.
    """
    if not job.options.get("file_keywords") or job.attempts > ATTEMPTS_MOST:
        return
    after = read = 0
    with ThreadPoolExecutor(THREADS) as pool, Elsewhere(job.options.get("area", "")) as source:
        while items := import_items.waiting(job, AT_ONCE, after=after):
            told = _awaited(job, [pool.submit(partial(_said, item, source)) for item in items])
            after, read = items[-1].pk, read + len(items)
            _store(job, items, told)
            job.options["keywords_read"] = read
            jobs.beat(job, options=job.options)


def _awaited(job: ImportJob, futures: Sequence[Future[Told]]) -> list[Told]:
    try:
        while wait(futures, timeout=jobs.BEAT_EVERY_S).not_done:
            jobs.beat(job)
            if jobs.is_to_stop(job):
                raise jobs.CancelRequestedError
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def _said(item: WaitingItem, source: Elsewhere) -> Told:
    """Runs in a thread: no database here. A file that cannot be read is refused when it lands, with its reason."""
    if item.staged_key.startswith(storage.STORED_IMAGE):
        return Said()  # words alone
    try:
        key = source.bring(item)
        with _reading:
            return keywords.read(storage.read(key, limit_bytes=MAX_BYTES))
    except BringError as error:
        return error
    except OSError:
        return Said()


@transaction.atomic
def _store(job: ImportJob, items: Sequence[WaitingItem], told: Sequence[Told]) -> None:
    row, errors, changed = jobs.held(job), [], []
    lost: list[WaitingItem] = []
    for item, found in zip(items, told, strict=True):
        if isinstance(found, BringError):
            # Asking a server again that has refused three times would take as long once more.
            item.refuse(ItemError(elsewhere.label(item), found.code, found.message))
            lost.append(item)
        elif found.caption or found.tags:
            clean, cut = words.storable(Words(found.caption, found.tags), item=item.name)
            errors += cut
            item.file_caption = (clean.caption or "").strip()
            item.tags = list(dict.fromkeys((*item.tags, *clean.tags)))
            changed.append(ImportItem(pk=item.pk, file_caption=item.file_caption, tags=item.tags))
    ImportItem.objects.bulk_update(changed, ["file_caption", "tags"])
    import_items.finish(lost)
    errors += [item.error for item in lost if item.error]
    row.result["refused"] += len(lost)
    jobs.beat(job, errors=_with(row.errors, errors), result=row.result, done=row.done + len(lost))


def _with(had: list[dict[str, str]], errors: Sequence[ItemError]) -> list[dict[str, str]]:
    """Each once: a successor finds what its predecessor has told."""
    fresh = [told for error in errors if (told := error.as_json()) not in had]
    return [*had, *fresh][: jobs.MAX_ERRORS_KEPT]
