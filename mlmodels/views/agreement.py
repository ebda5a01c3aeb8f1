"""Page of agreement: how alike people tag the same images, the least reliable tag first."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from annotations.models import Tag
from annotations.selectors import kept, vocabulary
from annotations.views.base import ProjectPage
from mlmodels.services import agreement
from mlmodels.services.agreement import Figures

ORDERS = ("alpha", "name", "images", "differ", "yes")
TONES = {"reliable": "live", "tentative": "wait", "unreliable": "stop"}


@dataclass(frozen=True)
class Shown:
    """One line of figures as the page draws it; its bar goes from 0 to 1, and what lies below 0 at its left end."""

    figures: Figures
    tag: Tag | None = None

    @property
    def alpha(self) -> str:
        """The figure as it stands in the table; a dash where there is none."""
        return _written(self.figures.alpha.point) if self.figures.alpha else "–"

    @property
    def interval(self) -> str:
        """Its bounds; empty where there is none."""
        found = self.figures.alpha
        return f"{_written(found.lower)} to {_written(found.upper)}" if found else ""

    @property
    def yes(self) -> str:
        """The share of yes among the answers, finer where it is small."""
        share = self.figures.yes_share
        if share is None:
            return "–"
        return f"{100 * share:.1f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"

    @property
    def tone(self) -> str:
        """Of what the figure is taken for."""
        return TONES.get(self.figures.reading, "")

    @property
    def start(self) -> float:
        """Where the interval begins, in percent of the bar."""
        return _percent(self.figures.alpha.lower) if self.figures.alpha else 0.0

    @property
    def length(self) -> float:
        """How much of the bar it takes, never so little that nobody sees it."""
        return max(2.0, _percent(self.figures.alpha.upper) - self.start) if self.figures.alpha else 0.0

    @property
    def middle(self) -> float:
        """Where the figure itself stands, a mark of two percent."""
        return min(98.0, _percent(self.figures.alpha.point)) if self.figures.alpha else 0.0


class AgreementPage(ProjectPage):
    template = "mlmodels/agreement.html"
    section = "quality"
    needs = "see_quality"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        blind = request.GET.get("blind") in ("true", "1")
        order = request.GET.get("order", "")
        order = order if order in ORDERS else ORDERS[0]
        told = agreement.told(project_id, self.project.vocabulary_version, blind=blind)
        tags = vocabulary.active_tags(self.project)
        rows = [Shown(told.tags[tag.pk], tag) for tag in tags if tag.pk in told.tags]
        return self.page(
            overall=Shown(told.overall),
            rows=in_order(rows, order),
            order=order,
            blind=blind,
            kept="&blind=true" if blind else "",
            open_address=self._address(order=order),
            blind_address=self._address(order=order, blind="true"),
            fewest=agreement.FEWEST_RARE,
            is_kept=kept.is_large(project_id),
        )

    def _address(self, *, order: str, **query: str) -> str:
        said = urlencode(({} if order == ORDERS[0] else {"order": order}) | query)
        return f"{self.address('agreement')}?{said}" if said else self.address("agreement")


def in_order(rows: Sequence[Shown], order: str) -> list[Shown]:
    """By alpha the least reliable first; below them tags with too little evidence, then those without a figure."""
    if order == "alpha":
        return sorted(rows, key=_by_alpha)
    if order == "name":
        return sorted(rows, key=_key)
    if order == "yes":
        return sorted(rows, key=lambda row: (-(row.figures.yes_share or 0.0), _key(row)))
    return sorted(rows, key=lambda row: (-getattr(row.figures, order), _key(row)))


def _by_alpha(row: Shown) -> tuple[bool, bool, float, str]:
    alpha = row.figures.alpha
    return (alpha is None, not row.figures.reading, alpha.point if alpha else 0.0, _key(row))


def _key(row: Shown) -> str:
    return row.tag.key if row.tag else ""


def _written(value: float) -> str:
    """.72, 1.00, −.05."""
    size = f"{abs(value):.2f}"
    text = size if size.startswith("1") else size.removeprefix("0")
    return f"\N{MINUS SIGN}{text}" if value < 0 and text != ".00" else text


def _percent(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)
