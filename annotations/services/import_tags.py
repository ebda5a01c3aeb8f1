"""The tags that an import names and its project lacks: created before the images that need them, where asked for."""

from collections.abc import Iterable

from django.db import connection, transaction

from annotations.models import ImportJob, Project
from annotations.models.tag import name_key
from annotations.selectors import vocabulary
from annotations.services import jobs, tags
from annotations.services import tag_periods as periods
from annotations.types import TagSpec


def create_waiting(job: ImportJob) -> None:
    """Before the first image that waits, so that a complete item answers all of the import's tags."""
    if job.options.get("create_tags"):
        with transaction.atomic():
            jobs.held(job)
            create(job, _named(job))


def create(job: ImportJob, words: Iterable[str]) -> None:
    """Create what these words name and the project has not, in their order. Call inside a transaction."""
    named = list(dict.fromkeys(words))
    if not job.options.get("create_tags") or not named or not _missing(job, named):
        return
    periods.lock_to_add(job.project)
    # Asked again: somebody may have been faster.
    if missing := _missing(job, named):
        tags.create_many(job.project, missing, actor=job.actor)


def _missing(job: ImportJob, words: list[str]) -> list[TagSpec]:
    _, unknown = vocabulary.resolve(job.project, words)
    if not unknown:
        return []
    retired = set(_retired_keys(job.project))
    by_key: dict[str, str] = {}
    for word in unknown:  # of several spellings the first
        by_key.setdefault(name_key(str(word)), str(word))
    return [TagSpec(name=word) for key, word in by_key.items() if key not in retired]


def _named(job: ImportJob) -> list[str]:
    """In the order in which they are to be created: a tag that was not asked on many images came late."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT word FROM (
                SELECT item.id, word, false AS unasked FROM annotations_importitem item,
                    jsonb_array_elements_text(item.tags || item.no || item.disputed) AS word
                WHERE item.job_id = %(job)s AND item.state = 'waiting'
                UNION ALL
                SELECT item.id, word, true FROM annotations_importitem item,
                    jsonb_array_elements_text(item.not_asked) AS word
                WHERE item.job_id = %(job)s AND item.state = 'waiting'
            ) said GROUP BY word ORDER BY count(*) FILTER (WHERE unasked), min(id), word
            """,
            {"job": job.pk},
        )
        return [word for (word,) in cursor.fetchall()]


def _retired_keys(project: Project) -> list[str]:
    return list(vocabulary.all_tags(project).exclude(retired_at=None).values_list("key", flat=True))
