"""How long the gallery keeps people waiting in a large project: first page, filters and deep scrolling.

    python benchmarks/gallery.py [--images 100000] [--rounds 15] [--json FILE]

Plants a project of image rows without files, suggestions, reviews and one-tag answers, asks the pages as a reviewer's
browser does, and prints one table: milliseconds a request by kind, the database's part included.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from stack import serve_pages_here

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from annotations.models import Project

LIMIT_MS = 150
REVIEWED_SHARE = 0.3


@dataclass(frozen=True)
class Row:
    """Milliseconds a request: what somebody waits, and processor time, which a busy machine leaves as it is."""

    request: str
    p50_ms: float
    p95_ms: float
    max_ms: float
    web_cpu_ms: float
    database_cpu_ms: float


def plant(images: int) -> "Project":
    """A project as months of work leave it: a third reviewed by four people, suggestions for every image."""
    import planted

    from annotations.models import User
    from annotations.services import projects

    project = planted.project(images, features=False)
    boss = project.memberships.get(user__username="admin")
    for name in ("reviewer", "ada", "ben", "cleo"):
        User.objects.get_or_create(username=name)
        projects.set_member(boss, name, "reviewer")
    _suggest(project)
    _review(project)
    _vacuum()
    return project


def _suggest(project: "Project") -> None:
    """Five tags an image, of frequencies that fall off, the best two offered."""
    from annotations.services import suggestions
    from annotations.types import SuggestionRow

    rng, tag_ids = np.random.default_rng(1), list(project.tags.order_by("pk").values_list("pk", flat=True))
    share = 1 / np.arange(1, len(tag_ids) + 1)
    share /= share.sum()
    image_ids = list(project.images.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(image_ids), 5_000):
        rows = []
        for image_id in image_ids[start : start + 5_000]:
            chosen = [tag_ids[n] for n in rng.choice(len(tag_ids), 5, replace=False, p=share)]
            scores = sorted(rng.random(5).round(3).tolist(), reverse=True)
            rows.append(
                SuggestionRow(
                    image_id, chosen, scores, chosen[:2], [[]] * 5, True, None, 1, project.vocabulary_version
                )
            )
        suggestions.store(project.pk, rows)


def _review(project: "Project") -> None:
    """Rows as reviews leave them, by SQL: this is about reading."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_REVIEWS, {"project": project.pk, "share": REVIEWED_SHARE})
        cursor.execute(_DECISIONS, {"project": project.pk})
        cursor.execute(
            "UPDATE annotations_image SET state = 'reviewed', reviews_done = 1 WHERE id IN "
            "(SELECT image_id FROM annotations_review WHERE project_id = %s)",
            [project.pk],
        )
        cursor.execute(
            "INSERT INTO annotations_counter (project_id, name, value) "
            "SELECT %s, 'images', count(*) FROM annotations_image WHERE project_id = %s "
            "ON CONFLICT (project_id, name) DO UPDATE SET value = EXCLUDED.value",
            [project.pk, project.pk],
        )


_REVIEWS = """
    INSERT INTO annotations_review (project_id, image_id, user_id, outcome, source, counted, blind, stratum,
        body_sha256, model_number, vocabulary_version, created_at)
    SELECT %(project)s, i.id, people.ids[1 + i.id %% 4], 'reviewed', 'person', true, false, 'active', '', 1,
        p.vocabulary_version, now() - (i.shuffle * 365) * interval '1 day'
    FROM annotations_image i JOIN annotations_project p ON p.id = i.project_id,
        (SELECT array_agg(user_id ORDER BY user_id) AS ids FROM annotations_membership
         WHERE project_id = %(project)s AND role = 'reviewer') people
    WHERE i.project_id = %(project)s AND i.shuffle < %(share)s
"""
_DECISIONS = """
    INSERT INTO annotations_decision (project_id, image_id, tag_id, user_id, review_id, value, scope, source,
        model_number, suggestion, created_at)
    SELECT r.project_id, r.image_id, t.tag_id, r.user_id, r.id,
        CASE WHEN t.place = 1 OR random() < 0.5 THEN 'yes' ELSE 'no' END, 'image', 'person', 1,
        jsonb_build_object('score', s.scores[t.place], 'offered', t.place <= 2, 'sources', '[]'::jsonb), r.created_at
    FROM annotations_review r JOIN annotations_suggestionset s ON s.image_id = r.image_id,
        unnest(s.tag_ids[1:3]) WITH ORDINALITY AS t(tag_id, place)
    WHERE r.project_id = %(project)s
"""


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def requests_of(project: "Project") -> dict[str, list[str]]:
    """Addresses of each kind. Tags: the most frequent, a middling and the rarest."""
    names = list(project.tags.order_by("pk").values_list("name", flat=True))
    some = [names[0], names[len(names) // 4], names[-1]]
    ids = list(project.images.order_by("pk").values_list("pk", flat=True))
    deep = [ids[len(ids) * part // 10] for part in (1, 5, 9)]
    return {
        "first page": [""],
        "newest, mixed, priority": ["ordering=newest", "ordering=shuffle", "ordering=priority"],
        "tag: yes": [f"tag={name}" for name in some],
        "tag: no": [f"tag={name}&answer=no" for name in some],
        "suggested": [f"suggested={name}" for name in some],
        "suggested, score": [f"suggested={name}&min_score=0.6" for name in some],
        "caption words": ["q=dog", "q=quiet+dog", "q=12345"],
        "state": ["state=pending", "state=reviewed", "state=broken"],
        "person": ["reviewer=ada", "reviewer=ada&state=reviewed&ordering=newest"],
        "days": ["since=2020-01-01", "since=2020-01-01&until=2020-02-01", f"since={_days_ago(3)}"],
        "several": [f"tag={some[0]}&reviewer=ben&q=dog", f"suggested={some[1]}&state=pending"],
        "deep, oldest first": [f"after={image_id}" for image_id in deep],
        "deep, mixed": [f"ordering=shuffle&after={share}:1" for share in (0.1, 0.5, 0.9)],
        "deep, priority": [f"ordering=priority&after=0:{image_id}" for image_id in deep],
        "deep, tag: yes": [f"tag={some[0]}&after={image_id}" for image_id in deep],
    }


def _days_ago(days: int) -> str:
    return str(datetime.now(tz=UTC).date() - timedelta(days=days))


def measure(project: "Project", rounds: int) -> list[Row]:
    from django.db import connection
    from django.test import Client

    from annotations.models import User

    gc.freeze()  # what planting left would be walked through by a full collection in the midst of a request
    client = Client()
    client.force_login(User.objects.get(username="reviewer"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        database = psutil.Process(cursor.fetchone()[0])
    base = f"/projects/{project.pk}/gallery/"
    image_id = project.images.order_by("pk").values_list("pk", flat=True)[project.images.count() // 2]
    addresses = {
        kind: [f"{base}?{query}" for query in queries] for kind, queries in requests_of(project).items()
    }
    addresses["an image's page"] = [f"{base}{image_id}/?state=reviewed"]
    return [_measured(client, database, kind, asked, rounds) for kind, asked in addresses.items()]


def _measured(client: Any, database: psutil.Process, kind: str, asked: list[str], rounds: int) -> Row:
    for address in asked:  # warms the database's memory
        _timed(client, address)
    web, behind = time.process_time(), sum(database.cpu_times()[:2])
    taken = [_timed(client, address) for _ in range(rounds) for address in asked]
    cpu = [time.process_time() - web, sum(database.cpu_times()[:2]) - behind]
    figures = [*np.percentile(taken, [50, 95, 100]), *(1_000 * seconds / len(taken) for seconds in cpu)]
    return Row(kind, *(round(float(figure), 1) for figure in figures))


def _timed(client: Any, address: str) -> float:
    started = time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return 1_000 * (time.perf_counter() - started)


def table(rows: list[Row], images: int) -> str:
    head = f"{'request':<26}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'web CPU':>9}{'db CPU':>9}"
    lines = [f"{images:,} images; {LIMIT_MS} ms at most on a quiet machine", head]
    for row in rows:
        _, *figures = asdict(row).values()
        lines.append(f"{row.request:<26}" + "".join(f"{figure:>9.1f}" for figure in figures))
    return "\n".join(lines)


def run(images: int, rounds: int) -> list[Row]:
    """Plant and measure, in servers of their own."""
    serve_pages_here()
    return measure(plant(images), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15, help="times that each address is asked for")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        os.environ |= {"TAGGER_DATA": str(Path(folder) / "data"), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
        rows = run(args.images, args.rounds)
    print(table(rows, args.images))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
