"""The files of an import that are not known when it starts: its worker lists them, page by page.

Every page is stored together with the place where the next one begins, so that a killed worker's successor goes on
there and no file is listed twice.
"""

from concurrent.futures import ThreadPoolExecutor

from django.db import transaction

from annotations.errors import BadInput
from annotations.importers.buckets import Buckets, Listed, Place
from annotations.models import ImportItem, ImportJob
from annotations.services import jobs


def complete(job: ImportJob) -> None:
    """List what is not listed yet. Raises BadInput, CancelRequestedError or jobs.ClaimLost."""
    if not job.options.get("listing") or job.options.get("is_listed"):
        return
    place = Place.of(job.options["listing"])
    pages = Buckets().pages(place, after=job.options.get("listed_to", ""))
    with ThreadPoolExecutor(1) as pool:
        while page := jobs.awaited(job, pool.submit(next, pages, None)):
            _store(job, page)
    if not job.items.exists():
        raise BadInput(
            f"Expected pictures below “{place}”, got none. Correct the prefix.", code="nothing_listed"
        )
    job.options["is_listed"] = True
    jobs.beat(job, options=job.options)


@transaction.atomic
def _store(job: ImportJob, page: Listed) -> None:
    row = jobs.held(job)
    ImportItem.objects.bulk_create(
        ImportItem(job=job, name=file.name, staged_key=file.key, complete=bool(job.options.get("complete")))
        for file in page.files
    )
    job.options["listed_to"] = page.last_key
    job.total = (row.total or 0) + len(page.files)
    jobs.beat(job, options=job.options, total=job.total, attempts=1)
