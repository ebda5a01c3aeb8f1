"""Builds which images wait for a word on each tag, best score first and most uncertain first, in one pass.

A pass reads every suggestion of the project, so it runs in the background, only while somebody verifies, and never for
more than a twentieth of the time.
"""

import time

from django.db import connection, transaction
from django.utils import timezone

from annotations.models import Project, RankingAge
from annotations.selectors import unanswered, verify

# Enough for an hour of pages between two passes.
KEPT = 1_000


@transaction.atomic
def refresh(project_id: int) -> bool:
    """Build the rankings anew if they are due and nobody else is at it. Answers whether it did."""
    project = Project.objects.filter(pk=project_id, deleted_at=None).first()
    if project is None or not _lock(project_id) or not verify.is_due(project_id):
        return False
    built_at, began = timezone.now(), time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotations_tagranking WHERE project_id = %s", [project_id])
        cursor.execute(_BUILD, {"kept": KEPT, **unanswered.parameters(project)})
    RankingAge.objects.update_or_create(
        project_id=project_id,
        defaults={"built_at": built_at, "seconds": time.perf_counter() - began},
    )
    return True


def _lock(project_id: int) -> bool:
    """One builder a project at a time; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('rankings'), %s)", [project_id])
        return bool(cursor.fetchone()[0])


_BUILD = f"""
    WITH waiting AS (
        SELECT t.tag_id, s.image_id, t.score, t.tag_id = ANY(s.offered_ids) AS is_offered
        FROM annotations_suggestionset s
        JOIN annotations_image i ON i.id = s.image_id AND {verify.ASKABLE}
        CROSS JOIN unnest(s.tag_ids, s.scores) AS t(tag_id, score)
        {unanswered.joins(image="s.image_id", tag="t.tag_id")}
        WHERE s.project_id = %(project)s AND {unanswered.condition(image="s.image_id", tag="t.tag_id")}
    ), placed AS (
        SELECT tag_id, image_id, is_offered,
               row_number() OVER (PARTITION BY tag_id ORDER BY score DESC, image_id) AS best,
               row_number() OVER (PARTITION BY tag_id ORDER BY abs(score - 0.5), image_id) AS uncertain
        FROM waiting
    )
    INSERT INTO annotations_tagranking (tag_id, project_id, waiting, offered, best_ids, uncertain_ids)
    SELECT tag_id, %(project)s, count(*), count(*) FILTER (WHERE is_offered),
           array_agg(image_id ORDER BY best) FILTER (WHERE best <= %(kept)s),
           array_agg(image_id ORDER BY uncertain) FILTER (WHERE uncertain <= %(kept)s)
    FROM placed GROUP BY tag_id
"""  # noqa: S608 (conditions are constants)
