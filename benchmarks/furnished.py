"""What months of work leave in a project beside images, suggestions and reviews, as rows: for pages that show it.

Leases, holdout, one-tag answers, trash, flags, imports, snapshots, near-duplicates, versions of the model with what
they were judged by, suspects, a forecast, a ledger, the audit trail. The larger the project, the more of each.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from annotations.models import Project
    from mlmodels.models import ModelVersion

VERSIONS = 60
JUDGED = 2_000
CHECKS = 500
SUSPECTS_A_KIND = 1_000


def add(project: "Project") -> None:
    """Everything, by SQL where there are many rows."""
    from django.db import connection

    values = {"project": project.pk}
    with connection.cursor() as cursor:
        for statement in filter(str.strip, _ROWS.split(";")):
            cursor.execute(statement, values)
    _freeze(project)
    versions = _versions(project)
    _judged(project, versions[-1])
    _suspects(project, versions[-1])
    _forecast(project, versions[-1])
    _ledger(project)
    _ranked(project)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


# Reviews are given the last four weeks, the window of the plots by day. A statement ends with a semicolon.
_ROWS = """
UPDATE annotations_image SET is_holdout = true WHERE project_id = %(project)s AND id %% 50 = 0;
UPDATE annotations_image SET state = 'disputed' WHERE project_id = %(project)s AND state = 'reviewed' AND id %% 97 = 0;
UPDATE annotations_image SET state = 'unsure' WHERE project_id = %(project)s AND state = 'pending' AND id %% 201 = 0;
UPDATE annotations_image SET state = 'broken' WHERE project_id = %(project)s AND state = 'pending' AND id %% 301 = 0;
UPDATE annotations_image SET deleted_at = now() - shuffle * interval '20 days'
    WHERE project_id = %(project)s AND id %% 103 = 0;
UPDATE annotations_queueentry e SET is_holdout = i.is_holdout, for_reviewers = i.state = 'unsure'
    FROM annotations_image i WHERE i.id = e.image_id AND e.project_id = %(project)s;
DELETE FROM annotations_queueentry e USING annotations_image i WHERE i.id = e.image_id AND e.project_id = %(project)s
    AND (i.state NOT IN ('pending', 'unsure') OR i.deleted_at IS NOT NULL);
INSERT INTO annotations_lease (token, project_id, image_id, user_id, expires_at, is_open, mode, why, blind, stratum,
        component, probability, waiting, shown, offered_ids, withheld_ids, calibrated, model_number,
        vocabulary_version, created_at)
    SELECT gen_random_uuid(), r.project_id, r.image_id, r.user_id, now(), false, 'mixed', 'random', false, 'random',
        'random', 1.0 / p.images, p.images, jsonb_build_array(jsonb_build_object('tag',
            jsonb_build_object('id', s.tag_ids[1], 'name', 'dog'), 'score', 0.5, 'offered', true, 'sources', '[]')),
        s.offered_ids, '{}', true, 1, r.vocabulary_version, now()
    FROM annotations_review r JOIN annotations_suggestionset s ON s.image_id = r.image_id,
        (SELECT count(*)::float AS images FROM annotations_image WHERE project_id = %(project)s) p
    WHERE r.project_id = %(project)s;
UPDATE annotations_review r SET lease_id = l.id, stratum = 'random', component = 'random',
        probability = l.probability, waiting = l.waiting, seconds = 3 + i.shuffle * 20, keystrokes = 3,
        picture_ms = 40 + (i.shuffle * 100)::integer, created_at = now() - (1 - i.shuffle / 0.3) * interval '28 days'
    FROM annotations_lease l JOIN annotations_image i ON i.id = l.image_id
    WHERE l.image_id = r.image_id AND r.project_id = %(project)s;
INSERT INTO annotations_verifiedpage (project_id, tag_id, user_id, yes, no, seconds, created_at)
    SELECT %(project)s, tag_id, min(user_id), count(*) FILTER (WHERE place %% 4 > 0),
        count(*) FILTER (WHERE place %% 4 = 0), 12, now() - interval '3 days'
    FROM (SELECT s.tag_ids[1] AS tag_id, row_number() OVER (PARTITION BY s.tag_ids[1] ORDER BY i.id) AS place,
            (SELECT min(user_id) FROM annotations_membership WHERE project_id = %(project)s) AS user_id
          FROM annotations_image i JOIN annotations_suggestionset s ON s.image_id = i.id
          WHERE i.project_id = %(project)s AND i.shuffle > 0.9 AND NOT i.is_holdout) told
    GROUP BY tag_id, place / 24;
INSERT INTO annotations_decision (project_id, image_id, tag_id, user_id, verified_page_id, value, scope, source,
        model_number, created_at)
    SELECT i.project_id, i.id, s.tag_ids[1], p.user_id, p.id, CASE WHEN i.id %% 4 > 0 THEN 'yes' ELSE 'no' END, 'tag',
        'person', 1, p.created_at
    FROM annotations_image i JOIN annotations_suggestionset s ON s.image_id = i.id
    JOIN LATERAL (SELECT * FROM annotations_verifiedpage v WHERE v.project_id = i.project_id
        AND v.tag_id = s.tag_ids[1] ORDER BY v.id LIMIT 1) p ON true
    WHERE i.project_id = %(project)s AND i.shuffle > 0.9 AND NOT i.is_holdout;
INSERT INTO annotations_decision (project_id, image_id, tag_id, user_id, value, scope, source, model_number, created_at)
    SELECT i.project_id, i.id, s.tag_ids[4], m.user_id, 'no', 'tag', 'person', 1, now() - interval '1 day'
    FROM annotations_image i JOIN annotations_suggestionset s ON s.image_id = i.id,
        (SELECT min(user_id) AS user_id FROM annotations_membership WHERE project_id = %(project)s) m
    WHERE i.project_id = %(project)s AND i.shuffle < 0.3 AND i.id %% 30 = 0;
INSERT INTO annotations_flag (project_id, image_id, author_id, comment, created_at, resolved_at)
    SELECT i.project_id, i.id, m.user_id, 'Two of these at once?', now(), CASE WHEN i.id %% 3 > 0 THEN now() END
    FROM annotations_image i, (SELECT min(user_id) AS user_id FROM annotations_membership
                               WHERE project_id = %(project)s) m
    WHERE i.project_id = %(project)s AND i.id %% 199 = 0;
INSERT INTO annotations_duplicategroup (project_id, state, joined)
    SELECT %(project)s, 'open', jsonb_build_object('first', i.id) FROM annotations_image i
    WHERE i.project_id = %(project)s AND i.id %% 100 = 1;
INSERT INTO annotations_nearpair (project_id, group_id, first_id, second_id, bits, mirrored)
    SELECT g.project_id, g.id, i.id, i.id + 1, 2, false FROM annotations_duplicategroup g
    JOIN annotations_image i ON i.id = (g.joined ->> 'first')::bigint
    JOIN annotations_image j ON j.id = i.id + 1 AND j.project_id = i.project_id WHERE g.project_id = %(project)s;
UPDATE annotations_duplicategroup SET joined = '{}' WHERE project_id = %(project)s;
INSERT INTO annotations_importjob (project_id, actor_id, state, done, total, reason, errors, result, attempts,
        cancel_requested, created_at, started_at, finished_at, source, options)
    SELECT %(project)s, m.user_id, 'done', 200, 200, '',
        jsonb_build_array(jsonb_build_object('item', 'a' || n || '.jpg', 'code', 'damaged', 'message', 'Damaged.')),
        jsonb_build_object('added', 199, 'refused', 1), 1, false, now(), now(), now(), 'upload',
        jsonb_build_object('upload', 'upload ' || n / 100)
    FROM generate_series(1, (SELECT count(*) / 200 FROM annotations_image WHERE project_id = %(project)s)) n,
        (SELECT min(user_id) AS user_id FROM annotations_membership WHERE project_id = %(project)s) m;
INSERT INTO annotations_importitem (job_id, name, staged_key, file_caption, tags, no, disputed, not_asked, metadata,
        suggestions, complete, state, error_code, error_message, image_id)
    SELECT j.jobs[1 + i.id %% cardinality(j.jobs)], i.name, '', '', '[]', '[]', '[]', '[]', '{}', '{}', false, 'added',
        '', '', i.id
    FROM annotations_image i, (SELECT array_agg(id) AS jobs FROM annotations_importjob
                               WHERE project_id = %(project)s) j
    WHERE i.project_id = %(project)s;
INSERT INTO annotations_auditevent (project_id, actor_id, action, details, created_at)
    SELECT i.project_id, m.user_id, 'images.edit', jsonb_build_object('image', i.id), i.created_at
    FROM annotations_image i, (SELECT min(user_id) AS user_id FROM annotations_membership
                               WHERE project_id = %(project)s) m
    WHERE i.project_id = %(project)s AND i.id %% 5 = 0;
INSERT INTO annotations_proposal (project_id, kind, text, key, captions, rank, evidence, state, result_word,
        result_kind, created_at)
    SELECT %(project)s, 'tag', 'word ' || n, 'word ' || n, 10, n, '{}', 'open', '', '', now()
    FROM generate_series(1, 400) n;
INSERT INTO annotations_counter (project_id, name, value)
    SELECT i.project_id, v.name, v.value FROM (
        SELECT %(project)s::bigint AS project_id, count(*) AS images, count(*) FILTER (WHERE is_holdout) AS holdout,
            count(*) FILTER (WHERE is_holdout AND state = 'reviewed') AS holdout_reviewed
        FROM annotations_image WHERE project_id = %(project)s AND deleted_at IS NULL) i,
        (SELECT count(*) AS reviews FROM annotations_review WHERE project_id = %(project)s) r,
        (SELECT count(*) AS decisions FROM annotations_decision WHERE project_id = %(project)s) d,
        LATERAL (VALUES ('images', images), ('holdout', holdout), ('holdout_reviewed', holdout_reviewed),
            ('reviews', reviews), ('decisions', decisions), ('trainable_decisions', decisions),
            ('trainable_reviews', reviews), ('offered', 2 * reviews), ('accepted', reviews),
            ('keystrokes', 3 * reviews), ('keystrokes_empty_form', 9 * reviews), ('random.reviews', reviews),
            ('random.offered', 2 * reviews), ('random.accepted', reviews)) v (name, value)
    UNION ALL
    SELECT %(project)s, state, count(*) FROM annotations_image
    WHERE project_id = %(project)s AND deleted_at IS NULL GROUP BY state
    ON CONFLICT (project_id, name) DO UPDATE SET value = EXCLUDED.value
"""


def _freeze(project: "Project") -> None:
    """Two snapshots between which a hundredth of the captions changed."""
    from annotations.models import Image, Snapshot
    from annotations.services import jobs, snapshots

    for name in ("before", "after"):
        made = snapshots.start(project, actor=None, name=name)
        claimed = jobs.claim(Snapshot, made.pk)
        assert claimed is not None
        snapshots.run(claimed)
        Image.objects.filter(project=project, shuffle__gt=0.99).update(caption="A caption written anew.")


def _versions(project: "Project") -> "list[ModelVersion]":
    """Versions as training stores them, the newest live and one in three refused."""
    from django.utils import timezone

    from annotations.models import LiveModel
    from mlmodels.models import Extractor, ModelVersion, ProjectExtractor, TrainingRun

    extractor = Extractor.objects.get(key="planted")
    tags = dict(project.tags.order_by("pk").values_list("pk", "name"))
    now, found, drawn = timezone.now(), [], _curves()
    for number in range(1, VERSIONS + 1):
        is_refused = number % 3 == 0 and number < VERSIONS
        run = TrainingRun.objects.create(
            project=project, state="refused" if is_refused else "done", trigger="policy", finished_at=now
        )
        version = ModelVersion.objects.create(
            project=project,
            number=number,
            run=run,
            parent=found[-1] if found else None,
            extractor=extractor,
            artifact=f"{project.pk}/{number}",
            artifact_sha256="0" * 64,
            verdict="refused" if is_refused else "promoted",
            reasons=["judged on the holdout"],
            metrics=_figures(number) | {"judged_on": "holdout", "macro_tags": len(tags)},
            tag_metrics={str(pk): {"name": name} | _tag_figures(pk, number) for pk, name in tags.items()},
            curves=drawn,
            tag_ids=list(tags),
            vocabulary_version=project.vocabulary_version,
            trained_images=number * 10,
            trained_reviews=number * 10,
            trained_decisions=number * 30,
            holdout_images=100,
            fingerprint="planted",
            activated_at=None if is_refused else now - timedelta(hours=VERSIONS - number),
        )
        TrainingRun.objects.filter(pk=run.pk).update(result={"version": {"id": version.pk, "number": number}})
        found.append(version)
    live = found[-1]
    LiveModel.objects.update_or_create(
        project=project,
        defaults={
            "version_id": live.pk,
            "number": live.number,
            "metrics": live.metrics,
            "tags": {key: {**one, "needed": 10} for key, one in live.tag_metrics.items()},
            "published_at": now,
        },
    )
    ProjectExtractor.objects.update_or_create(
        project=project,
        defaults={
            "name": project.extractor,
            "asked_at": now,
            "extractor": extractor,
            "complete_at": now,
            "serving": extractor,
        },
    )
    return found


def _figures(number: int) -> dict[str, Any]:
    value = 0.4 + number / 300
    names = (
        "micro_f1",
        "macro_f1",
        "macro_average_precision",
        "corrections",
        "keystrokes",
        "calibration_error",
    )
    intervals = {f"{name}_interval": [value - 0.02, value + 0.02] for name in names}
    return dict.fromkeys(names, value) | intervals


def _tag_figures(tag_id: int, number: int) -> dict[str, Any]:
    value = 0.3 + (tag_id * 7 + number) % 60 / 100
    names = ("f1", "average_precision", "precision", "recall", "threshold")
    intervals = {f"{name}_interval": [value - 0.05, value + 0.05] for name in names[:2]}
    return dict.fromkeys(names, value) | intervals | {"support": 40, "needed": 10, "judged_yes": 20}


def _curves() -> dict[str, Any]:
    """Points of a model that guesses."""
    from mlmodels.services import curves

    rng = np.random.default_rng(4)
    truth = (rng.random((JUDGED, 1)) < 0.3).astype(np.int8)
    return curves.draw(truth, rng.random((JUDGED, 1)), np.ones(JUDGED))


def _judged(project: "Project", version: "ModelVersion") -> None:
    """The file that the page of a version draws from."""
    from django.conf import settings

    from mlmodels.core import artifacts

    rng = np.random.default_rng(3)
    ids = list(project.images.filter(is_holdout=True).order_by("pk").values_list("pk", flat=True)[:JUDGED])
    shape = (len(ids), len(version.tag_ids))
    judged = {
        "image_ids": np.array(ids, dtype=np.int64),
        "tag_ids": np.array(version.tag_ids, dtype=np.int64),
        "truth": (rng.random(shape) < 0.04).astype(np.int8),
        "weights": np.ones(len(ids), dtype=np.float32),
        "candidate.scores": rng.random(shape, dtype=np.float32),
        "candidate.thresholds": np.full(shape[1], 0.5, dtype=np.float32),
    }
    folder = Path(settings.MODELS_ROOT) / version.artifact
    version.artifact_sha256 = artifacts.save(folder, {"w": np.zeros(1, dtype=np.float32)}, {}, judged=judged)
    version.save(update_fields=["artifact_sha256"])


def _suspects(project: "Project", version: "ModelVersion") -> None:
    """Of each kind as many as a list holds: a yes that was said, and a no that a review implied."""
    from django.db import connection
    from django.utils import timezone

    from mlmodels.models import SuspectList

    SuspectList.objects.create(project=project, version=version, read_at=timezone.now(), seconds=1.0)
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, {"project": project.pk, "most": SUSPECTS_A_KIND})
        cursor.execute(_MISSING, {"project": project.pk, "most": SUSPECTS_A_KIND})


_WRONG = """
    INSERT INTO mlmodels_suspect (project_id, image_id, tag_id, kind, rank, score)
    SELECT project_id, image_id, tag_id, 'wrong', row_number() OVER (ORDER BY id), 0.02
    FROM (SELECT d.* FROM annotations_decision d JOIN annotations_image i ON i.id = d.image_id
          WHERE d.project_id = %(project)s AND d.value = 'yes' AND d.scope = 'image' AND i.deleted_at IS NULL
            AND i.id %% 7 = 0 ORDER BY d.id LIMIT %(most)s) said
    ON CONFLICT DO NOTHING
"""
_MISSING = """
    INSERT INTO mlmodels_suspect (project_id, image_id, tag_id, kind, rank, score)
    SELECT project_id, image_id, tag_id, 'missing', row_number() OVER (ORDER BY image_id), 0.97
    FROM (SELECT s.project_id, s.image_id, s.tag_ids[5] AS tag_id FROM annotations_suggestionset s
          JOIN annotations_image i ON i.id = s.image_id
          WHERE s.project_id = %(project)s AND i.state = 'reviewed' AND i.deleted_at IS NULL
            AND i.id %% 5 = 0 ORDER BY i.id LIMIT %(most)s) unsaid
    ON CONFLICT DO NOTHING
"""


def _forecast(project: "Project", version: "ModelVersion") -> None:
    from mlmodels.models import LearningForecast
    from mlmodels.services import forecasts

    row = LearningForecast.objects.create(
        project=project,
        version=version,
        images=600,
        judged_on="holdout",
        judged_ids=list(range(JUDGED)),
        points=[
            {
                "images": images,
                "draw": draw,
                "tags": dict.fromkeys(map(str, version.tag_ids), value + draw / 50),
            }
            for images, value in ((75, 0.4), (150, 0.5), (300, 0.58), (600, 0.63))
            for draw in range(2)
        ],
    )
    forecasts._finish(row)


def _ledger(project: "Project") -> None:
    from mlmodels.models import PolicyCheck

    PolicyCheck.objects.bulk_create(
        PolicyCheck(project=project, outcome="waited", code="too_few", reason=f"Check {number}.")
        for number in range(CHECKS)
    )


def _ranked(project: "Project") -> None:
    """The orders of the grid, as the background builds them."""
    from annotations.services import rankings

    rankings.refresh(project.pk)
