"""What every page and every polled answer costs in a large project, beside the same in a small one.

    python benchmarks/pages.py [WORD ...] [--images 100000] [--small 1000] [--rounds 5] [--plans FOLDER] [--json FILE]

Plants two projects that months of work have gone into (`furnished.py`), in one database with servers of their own, asks
the pages as an admin's browser does, and prints one table. For each page, small | large: its queries, the rows that
their plans touched, milliseconds (the fastest of the rounds, for other work on the machine only adds to them); then the
ratio of the milliseconds, its slowest query and how much memory the web process takes for it at most. With words, the
pages whose names hold one of them. `--plans` keeps how PostgreSQL went about the slowest query of each page, `--data`
what was planted.

Nearest pictures are left out, since no features are planted. Figures: docs/pages.md, “Every page”.
"""

import argparse
import gc
import json
import os
import re
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack import serve_pages_here

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from annotations.models import Project

HTMX = {"HTTP_HX_REQUEST": "true"}
NOTED_RATIO = 1.5
NOTED_MS = 30
_EXPLAINED = re.compile(r"\s*(SELECT|WITH|UPDATE|DELETE)\b", re.IGNORECASE)


@dataclass
class Query:
    sql: str
    parameters: Any
    ms: float


@dataclass
class Cost:
    """What one page costs in one project. `slowest` is its slowest query as EXPLAIN writes it."""

    queries: int
    rows: int
    ms: float
    slowest_ms: float
    memory_mib: float
    slowest: str = field(repr=False, default="")


@dataclass
class Row:
    page: str
    small: Cost
    large: Cost

    @property
    def ratio(self) -> float:
        return self.large.ms / self.small.ms


Ask = Callable[[], Any]


class Browser:
    """Somebody signed in, in one project."""

    def __init__(self, project: "Project") -> None:
        from django.test import Client

        from annotations.models import User

        self.project = project
        self.client = Client(raise_request_exception=True)
        self.client.force_login(User.objects.get(username="admin"))
        self.held: dict[str, Any] = {}

    def page(self, address: str, **headers: str) -> Any:
        return self._checked(self.client.get(f"/projects/{self.project.pk}/{address}", **headers))

    def api(self, address: str, body: Any = None) -> Any:
        where = f"/api/v1/projects/{self.project.pk}/{address}"
        if body is None:
            return self._checked(self.client.get(where))
        return self._checked(self.client.post(where, json.dumps(body), content_type="application/json"))

    def elsewhere(self, address: str, **headers: str) -> Any:
        return self._checked(self.client.get(address, **headers))

    def _checked(self, answer: Any) -> Any:
        if answer.status_code not in (200, 201, 204):
            raise SystemExit(f"{answer.request['PATH_INFO']}: {answer.status_code} {answer.content[:500]!r}")
        return answer

    def next_image(self) -> Any:
        """The next image, as the review page asks for it when it holds none."""
        answer = self.api("queue/next/", {"count": 1, "have": self.held.get("have", [])})
        (item,) = answer.json()["items"]
        self.held.setdefault("items", []).append(item)
        self.held.setdefault("have", []).append(item["lease"]["token"])
        return answer

    def answer_it(self) -> Any:
        """Its review: what was offered, as it is."""
        if not self.held.get("items"):
            self.next_image()
        item = self.held["items"].pop()
        offered = [one["tag"]["id"] for one in item["suggestions"] if one["offered"]]
        return self.api(
            "reviews/",
            {
                "client_id": str(uuid.uuid4()),
                "image": item["image"]["id"],
                "lease": item["lease"]["token"],
                "revision": item["image"]["revision"],
                "tags": offered,
                "outcome": "reviewed",
                "seconds": 1.0,
                "keystrokes": 1,
            },
        )

    def next_about(self, tag: int) -> Any:
        """The next image about one tag; it is given back."""
        answer = self.api("queue/next/", {"count": 1, "mode": "score", "tag": tag})
        for item in answer.json()["items"]:
            self.api("queue/release/", {"leases": [item["lease"]["token"]]})
        return answer


def pages(browser: Browser) -> dict[str, Ask]:
    """Every page by a name, and what asks for it. Tags: the most frequent one, and a middling one."""
    from annotations.models import DuplicateGroup, ImportJob, Snapshot
    from mlmodels.models import ModelVersion

    project, page, api = browser.project, browser.page, browser.api
    tags = list(project.tags.order_by("pk").values_list("pk", "name"))
    (tag, name), (middling, _) = tags[0], tags[len(tags) // 4]
    ids = list(project.images.filter(deleted_at=None).order_by("pk").values_list("pk", flat=True))
    middle = ids[len(ids) // 2]
    reviewed = (
        project.images.filter(state="reviewed", deleted_at=None)
        .order_by("-pk")
        .values_list("pk", flat=True)[0]
    )
    job = ImportJob.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)[0]
    before, after = Snapshot.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)
    group = DuplicateGroup.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)[0]
    *_, older, newest = (
        ModelVersion.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)
    )
    gallery = {
        "": "",
        "newest": "ordering=newest",
        "mixed": "ordering=shuffle",
        "asked first": "ordering=priority",
        "yes": f"tag={name}",
        "no": f"tag={name}&answer=no",
        "yes, newest": f"tag={name}&ordering=newest",
        "suggested": f"suggested={name}",
        "suggested, score": f"suggested={name}&min_score=0.6",
        "words": "q=quiet+dog",
        "pending": "state=pending",
        "broken": "state=broken",
        "disputed": "disagreement=true",
        "person": "reviewer=ada",
        "days": "since=2020-01-01&until=2040-01-01",
        "holdout": "is_holdout=true",
        "flagged": "flagged=true",
        "not flagged": "flagged=false",
        "deep": f"after={middle}",
    }
    asked: dict[str, Ask] = {
        "projects": lambda: browser.elsewhere("/projects/"),
        "overview": lambda: page(""),
        "overview, once a minute": _anew(lambda: page("")),
        "overview, poll": lambda: page("", **HTMX),
        "review": lambda: page("review/"),
        "review, one tag": lambda: page(f"review/?tag={tag}"),
        "queue next (API)": browser.next_image,
        "review stored (API)": browser.answer_it,
        "queue next, one tag (API)": lambda: browser.next_about(tag),
        "stats, poll (API)": lambda: api("stats/"),
        "stats of a tag (API)": lambda: api(f"stats/?tag={tag}"),
        "type-ahead (API)": lambda: api("tags/?q=do&limit=8"),
        "guide": lambda: page("guide/"),
        "verify": lambda: page(f"verify/?tag={tag}"),
        "verify, uncertain": lambda: page(f"verify/?tag={middling}&order=uncertain"),
        "verify (API)": lambda: api(f"verify/?tag={tag}"),
        **{
            f"gallery: {kind or 'first page'}": _get(page, f"gallery/?{query}")
            for kind, query in gallery.items()
        },
        "gallery, actions, poll": lambda: page("gallery/bulk/", **HTMX),
        "list (API)": lambda: api("images/"),
        "list by score (API)": lambda: api(f"images/?ordering=score:{name}"),
        "an image": lambda: page(f"gallery/{reviewed}/?state=reviewed"),
        "an image (API)": lambda: api(f"images/{reviewed}/"),
        "near-duplicates": lambda: page("gallery/duplicates/"),
        "near-duplicates of an import": lambda: page(f"gallery/duplicates/?import={job}"),
        "near-duplicates (API)": lambda: api("duplicates/"),
        "a group": lambda: page(f"gallery/duplicates/{group}/"),
        "trash": lambda: page("trash/"),
        "trash, emptied": lambda: page("trash/empty/"),
        "flags": lambda: page("flags/"),
        "tags": lambda: page("tags/"),
        "tags, once a minute": _anew(lambda: page("tags/")),
        "tags as a tree": lambda: page("tags/?tree=1"),
        "tags (API)": lambda: api("tags/"),
        "tags, proposed": lambda: page("tags/proposed/"),
        "tags, changes": lambda: page("tags/changes/"),
        "tags, trash": lambda: page("tags/trash/"),
        "a tag": lambda: page(f"tags/{tag}/"),
        "a middling tag": lambda: page(f"tags/{middling}/"),
        "a tag, retire": lambda: page(f"tags/{tag}/retire/"),
        "a tag, delete": lambda: page(f"tags/{tag}/delete/"),
        "a tag, merge": lambda: page(f"tags/{middling}/merge/?into={name}"),
        "a tag, split": lambda: page(f"tags/{tag}/split/"),
        "quality": lambda: page("quality/"),
        "quality, missing": lambda: page("quality/?kind=missing"),
        "quality, annotators": lambda: page("quality/annotators/"),
        "quality, disagreements": lambda: page("quality/disagreements/"),
        "quality, agreement": lambda: page("quality/agreement/"),
        "quality, agreement once a minute": _anew(lambda: page("quality/agreement/")),
        "suspects (API)": lambda: api("suspects/?limit=24"),
        "models": lambda: page("models/"),
        "models, poll": lambda: page("models/?seen=", **HTMX),
        "models, poll, nothing new": _unmoved(browser),
        "a version": lambda: page(f"models/{newest}/"),
        "a version, one tag": lambda: page(f"models/{newest}/?tag={tag}"),
        "versions (API)": lambda: api("models/"),
        "evaluation (API)": lambda: api(f"models/{newest}/evaluation/"),
        "compare": lambda: page(f"models/compare/?a={older}&b={newest}"),
        "put live": lambda: page(f"models/{older}/activate/"),
        "ledger (API)": lambda: api("training-policy/ledger/"),
        "runs (API)": lambda: api("training-runs/"),
        "fine-tuning": lambda: page("models/finetune/"),
        "what the queue asks": lambda: page("models/asking/"),
        "all images, estimated": lambda: page("models/asking/whole/", **HTMX),
        "all images, once a minute": _anew(lambda: page("models/asking/whole/", **HTMX)),
        "people": lambda: page("people/"),
        "a member": lambda: page("people/ada/"),
        "audit": lambda: page("people/audit/"),
        "audit, person and kind": lambda: page("people/audit/?person=ada&kind=images"),
        "audit (API)": lambda: api("audit/"),
        "import": lambda: page("import/"),
        "import, poll": lambda: page("import/", **HTMX),
        "import report": lambda: page(f"import/{job}/"),
        "import report, poll": lambda: page(f"import/{job}/", **HTMX),
        "imports (API)": lambda: api("imports/"),
        "export": lambda: page("export/"),
        "export, poll": lambda: page("export/", **HTMX),
        "snapshots": lambda: page("export/snapshots/"),
        "snapshots, poll": lambda: page("export/snapshots/", **HTMX),
        "snapshots compared": lambda: page(f"export/snapshots/compare/?before={before}&after={after}"),
        "settings": lambda: page("settings/"),
        "settings, delete": lambda: page("settings/delete/"),
        "status": lambda: browser.elsewhere("/status/"),
        "workers' notice, poll": lambda: browser.elsewhere("/status/notice/?on=io&said=", **HTMX),
    }
    return asked


def _get(page: Callable[..., Any], address: str) -> Ask:
    return lambda: page(address)


def _anew(ask: Ask) -> Ask:
    """Without the figures that were kept: what the first visitor of a minute waits for."""
    from annotations.selectors import kept

    def without() -> Any:
        usual, kept.FROM_DECISIONS = kept.FROM_DECISIONS, sys.maxsize
        try:
            return ask()
        finally:
            kept.FROM_DECISIONS = usual

    return without


def _unmoved(browser: Browser) -> Ask:
    """The poll of the models' page that brings nothing new."""

    def ask() -> Any:
        if "seen" not in browser.held:
            told = browser.page("models/").content.decode()
            browser.held["seen"] = re.search(r"\?seen=([^\"&]*)", told).group(1)  # type: ignore[union-attr]
        return browser.page(f"models/?seen={browser.held['seen']}", **HTMX)

    return ask


def measure(ask: Ask, rounds: int) -> Cost:
    ask()  # warms the database's memory, and loads what a first request loads
    memory = _memory_mib(ask)
    taken = [_timed(ask) for _ in range(rounds)]
    with _captured() as queries:
        ask()
    slowest = max(queries, key=lambda query: query.ms, default=None)
    return Cost(
        queries=len(queries),
        rows=sum(_rows(query) for query in queries),
        ms=min(taken),
        slowest_ms=slowest.ms if slowest else 0.0,
        memory_mib=memory,
        slowest=_explained(slowest) if slowest else "",
    )


def _timed(ask: Ask) -> float:
    started = time.perf_counter()
    ask()
    return 1_000 * (time.perf_counter() - started)


def _memory_mib(ask: Ask) -> float:
    """What Python holds at most while it answers, beside what it held before."""
    gc.collect()
    tracemalloc.start()
    try:
        ask()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak / 2**20


@contextmanager
def _captured() -> Iterator[list[Query]]:
    from django.db import connection

    found: list[Query] = []

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            found.append(Query(sql, params, 1_000 * (time.perf_counter() - started)))

    with connection.execute_wrapper(wrap):
        yield found


def _rows(query: Query) -> int:
    from tests.plans import rows_read

    plan = _explain(query, "ANALYZE, FORMAT JSON")
    return rows_read(plan[0][0]["Plan"]) if plan else 0


def _explained(query: Query) -> str:
    lines = _explain(query, "ANALYZE, BUFFERS")
    return "\n".join(line for (line,) in lines)


def _explain(query: Query, how: str) -> list[Any]:
    """What a change would have done is taken back."""
    from django.db import connection, transaction

    if not _EXPLAINED.match(query.sql):
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({how}) {query.sql}", query.parameters)
        found = cursor.fetchall()
        transaction.set_rollback(True)
        return [(row[0],) if how.endswith("BUFFERS") else row[0] for row in found]


def table(rows: list[Row], small: int, large: int) -> str:
    """Markdown; in the last column a `!` where a page may cost more than the project's size asks for."""
    lines = [
        f"{small:,} | {large:,} images\n",
        "| page | queries | rows read | ms | ratio | slowest query ms | memory MiB | |",
        "| --- " * 8 + "|",
    ]
    for row in rows:
        one, other = row.small, row.large
        noted = other.queries > one.queries or (row.ratio > NOTED_RATIO and other.ms > NOTED_MS)
        cells = [
            row.page,
            f"{one.queries} \\| {other.queries}" if one.queries != other.queries else str(other.queries),
            f"{one.rows:,} \\| {other.rows:,}",
            f"{one.ms:.0f} \\| {other.ms:.0f}",
            f"{row.ratio:.1f}",
            f"{other.slowest_ms:.1f}",
            f"{one.memory_mib:.1f} \\| {other.memory_mib:.1f}",
            "!" if noted else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plant(images: int) -> "Project":
    import furnished
    import gallery

    from annotations.models import Project

    name = f"{images} images"
    found = Project.objects.filter(name=name).first()
    if found is None:
        found = gallery.plant(images)
        furnished.add(found)
        found.name = name
        found.save(update_fields=["name"])
    return found


def run(args: argparse.Namespace) -> list[Row]:
    serve_pages_here()
    small, large = (Browser(plant(images)) for images in (args.small, args.images))
    gc.freeze()
    rows, of_small = [], pages(small)
    for name, ask in pages(large).items():
        if args.words and not any(word in name for word in args.words):
            continue
        row = Row(name, measure(of_small[name], args.rounds), measure(ask, args.rounds))
        print(f"{name}: {row.small.ms:.0f} -> {row.large.ms:.0f} ms", file=sys.stderr, flush=True)
        if args.plans:
            args.plans.mkdir(parents=True, exist_ok=True)
            (args.plans / f"{re.sub('[^a-z]+', '-', name.lower())}.txt").write_text(row.large.slowest)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="pages whose names hold one of these; else all"
    )
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5, help="times that each page is asked for")
    parser.add_argument("--data", type=Path, help="keep what was planted here, and take it up again")
    parser.add_argument(
        "--plans", type=Path, metavar="FOLDER", help="write the plan of each page's slowest query here"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        data = (args.data or Path(folder)).resolve()
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o755)  # PostgreSQL runs under an unprivileged account
        os.environ |= {"TAGGER_DATA": str(data / "data"), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
        rows = run(args)
    print(table(rows, args.small, args.images))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
