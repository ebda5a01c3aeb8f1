"""The plots of the overview: what each day brought, and how many yes each tag has."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.models import Project
from annotations.selectors import progress, stats, vocabulary
from annotations.selectors.progress import DayWork
from annotations.views.plots import Column, Kind, Plot, Value, plot

TAGS_SHOWN = 12
# Of those drawn, as many have the fewest yes: what is missing must not hide behind what is there.
FEWEST_SHOWN = 4
# A plot of more rows is taller than a canvas can be; the page of tags lists them all.
TAGS_DRAWN = 250


@dataclass(frozen=True)
class TitledPlot:
    title: str
    note: str
    plot: Plot


def of_days(days: Sequence[DayWork], images: int) -> list[TitledPlot]:
    """Progress, acceptance, speed and reviews by day; what has nothing to show yet is left out."""
    if not any(day.reviews for day in days):
        return []
    titled = [_progress(days, images), _acceptance(days), _speed(days), _reviews(days)]
    return [found for found in titled if found is not None]


def _progress(days: Sequence[DayWork], images: int) -> TitledPlot:
    columns = [_DAY, Column("Reviewed", "line"), Column("All images", "ref")]
    rows = [(day.reviewed_images, images) for day in days]
    made = _by_day("line", "Images reviewed by the end of each day", columns, days, rows, traits="area")
    return TitledPlot("Progress", "images reviewed by the end of each day", made)


def _acceptance(days: Sequence[DayWork]) -> TitledPlot | None:
    if not any(day.offered for day in days):
        return None
    columns = [_DAY, Column("Accepted", "line", "percent"), Column("Offered")]
    rows = [(day.acceptance, day.offered) for day in days]
    made = _by_day(
        "line", "Share of offered tags that got a yes, by day", columns, days, rows, traits="dots", top=1
    )
    return TitledPlot("Acceptance", "of the tags that the model had ticked", made)


def _speed(days: Sequence[DayWork]) -> TitledPlot | None:
    if not any(day.seconds for day in days):
        return None
    columns = [_DAY, Column("Median", "line"), Column("from", "low"), Column("to", "high")]
    # Who is slow takes many seconds: the bounds change places.
    rows = [(day.an_hour("middle"), day.an_hour("high"), day.an_hour("low")) for day in days]
    made = _by_day(
        "line", "Images an hour by day, median and middle half", columns, days, rows, traits="dots"
    )
    return TitledPlot("Images an hour", "median and middle half of the reviews", made)


def _reviews(days: Sequence[DayWork]) -> TitledPlot:
    columns = [_DAY, Column("Reviews", "bar")]
    made = _by_day("columns", "Reviews by day", columns, days, [(day.reviews,) for day in days])
    return TitledPlot("Reviews a day", "by everybody", made)


_DAY = Column("Day", "name", "text")


def _by_day(
    kind: Kind,
    name: str,
    columns: Sequence[Column],
    days: Sequence[DayWork],
    rows: Sequence[tuple[Value, ...]],
    *,
    traits: str = "",
    top: float | None = None,
) -> Plot:
    names = [f"{day.day:%-d %b}" for day in days[:-1]] + ["Today"]
    named = [(name, *row) for name, row in zip(names, rows, strict=True)]
    return plot(kind, name, columns, named, low=0, high=top, traits=traits)


@dataclass(frozen=True)
class Balance:
    """`more` tags are not drawn; asking for every one draws them, up to what a plot can hold."""

    plot: Plot | None
    more: int
    can_draw_more: bool


def tag_balance(project: Project, *, every: bool) -> Balance:
    """Tags by how many images have a yes; amber those with too few to learn from. Of many, both ends are drawn."""
    answers = progress.answers_by_tag(project)
    names = dict(vocabulary.active_tags(project).values_list("pk", "name"))
    yes = {tag_id: answers[tag_id].yes if tag_id in answers else 0 for tag_id in names}
    ordered = sorted(yes, key=lambda tag_id: (-yes[tag_id], names[tag_id]))
    if not any(yes.values()):
        return Balance(None, 0, False)
    needed = stats.yes_needed(project)
    bars = [_bar(names[tag_id], yes[tag_id], needed.get(tag_id)) for tag_id in ordered]
    limit = TAGS_DRAWN if every else TAGS_SHOWN
    more = max(0, len(bars) - limit)
    drawn = [*bars[: limit - FEWEST_SHOWN], _gap(more), *bars[-FEWEST_SHOWN:]] if more else bars
    made = plot(
        "rows",
        f"Images with a yes, {len(bars) - more} of {len(bars)} tags",
        [
            Column("Tag", "name", "text"),
            Column("Yes", "bar"),
            Column("Yes and what is needed", "label", "text"),
        ],
        [(bar.name, bar.yes, bar.label) for bar in drawn],
        tones=[bar.tone for bar in drawn],
    )
    return Balance(made, more, not every)


@dataclass(frozen=True)
class _Bar:
    name: str
    yes: int | None
    label: str
    tone: str = ""


def _bar(name: str, yes: int, needed: int | None) -> _Bar:
    """`needed` is None for a tag that no version knows yet."""
    wanted = stats.YES_TO_LEARN_A_TAG if needed is None else needed
    if yes < wanted:
        return _Bar(name, yes, f"{yes} of {wanted} needed", "wait")
    return _Bar(name, yes, f"{yes:,}")


def _gap(more: int) -> _Bar:
    """The place of the tags that are not drawn."""
    return _Bar(f"… {more:,} more …", None, "")
