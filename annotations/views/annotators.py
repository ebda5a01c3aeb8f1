"""Quality's page of people: how fast each one works and how far their answers are those of others; also as CSV."""

from collections.abc import Collection, Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from annotations.exporters import cells
from annotations.selectors import annotators, kept
from annotations.selectors.annotators import PERIODS, Annotator
from annotations.selectors.shares import Share
from annotations.views.base import ProjectPage

PERIOD_WORDS = {"7": "7 days", "30": "30 days", "all": "All time"}

# Of the table, by its order: what stands above the column, and what that means.
COLUMNS = {
    "name": ("Person", ""),
    "reviews": ("Reviews", "Whole images that were reviewed; what was not answered is below"),
    "alone": ("One tag", "Answers to one tag alone, in Verify, one tag at a time, the gallery and Quality"),
    "seconds": ("Seconds", "Median seconds a review, and images an hour at that pace"),
    "keystrokes": ("Keys", "Median keystrokes a review"),
    "undone": ("Taken back", "Reviews that were undone, of all that the person made"),
    "agreement": ("Agreement", "Of the tags that one of two people gave, how often the other gave it too"),
    "upheld": ("Upheld", "Of the answers that a reviewer had the last word on, how many it confirmed"),
    "last": ("Last", ""),
}


class _OfPeriod(ProjectPage):
    section = "quality"
    needs = "see_quality"
    depends_on = ()

    def asked(self, name: str, known: Collection[str], usual: str) -> str:
        """What there is not is the usual."""
        word = self.request.GET.get(name, usual)
        return word if word in known else usual

    @property
    def period(self) -> str:
        return self.asked("days", PERIODS, annotators.PERIOD_DEFAULT)


class AnnotatorsPage(_OfPeriod):
    template = "annotations/annotators.html"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        period, order = self.period, self.asked("order", annotators.ORDERS, "name")
        rows = annotators.of_project(self.project, period)
        return self.page(
            rows=sorted(rows, key=annotators.ORDERS[order]),
            order=order,
            period=period,
            periods=[(word, text, _query(word, order)) for word, text in PERIOD_WORDS.items()],
            columns=[(name, *words, _query(period, name)) for name, words in COLUMNS.items()],
            table=f"{self.address('annotators-table')}{_query(period)}",
            is_shared=any(row.accuracy.agreement.images for row in rows),
            is_kept=kept.is_large(self.project.pk),
        )


class AnnotatorsTable(_OfPeriod):
    """The same figures as CSV: shares in [0, 1], the median time in seconds, empty where there is no figure."""

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        name = f"annotators-{project_id}-{self.period}.csv"
        answer = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        rows = annotators.of_project(self.project, self.period)
        answer.writelines(cells.write(CSV_COLUMNS, ([*_cells(row)] for row in rows)))
        return answer


CSV_COLUMNS = [
    *("user", "name", "role", "reviews", "skipped", "unsure", "broken", "answers_to_one_tag"),
    *("median_seconds", "images_an_hour", "median_keystrokes", "undone_by_self", "undone_by_others"),
    *("agreement", "agreement_lower", "agreement_upper", "agreement_tags", "agreement_images"),
    *("upheld", "upheld_lower", "upheld_upper", "upheld_answers", "upheld_images", "last_active_at"),
]


def _cells(row: Annotator) -> Iterator[object]:
    person, work = row.person, row.work
    yield from (cells.guard(person.username or ""), cells.guard(person.name), person.role or "")
    yield from (work.reviews, work.skipped, work.unsure, work.broken, work.alone)
    yield from (
        work.seconds,
        work.images_an_hour,
        work.keystrokes,
        work.undone_by_self,
        work.undone_by_others,
    )
    yield from _share_cells(row.accuracy.agreement)
    yield from _share_cells(row.accuracy.upheld)
    yield row.last_active_at.isoformat(timespec="seconds")


def _share_cells(share: Share) -> Iterator[object]:
    yield from (share.share, share.lower, share.upper, share.among, share.images)


def _query(period: str, order: str = "") -> str:
    """The address's end for a period and an order; what is usual is left out."""
    said = {"days": period} if period != annotators.PERIOD_DEFAULT else {}
    if order not in ("", "name"):
        said["order"] = order
    return f"?{urlencode(said)}" if said else "?"
