"""Plots of versions and of their evaluation, from rows and stored curves. No queries here."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.views.overview_plots import TitledPlot
from annotations.views.plots import Column, Plot, plot, written
from mlmodels.models import ModelVersion
from mlmodels.services.evaluation_detail import Pair, Step
from mlmodels.views.comparison import ComparedTag
from mlmodels.views.shown import VersionRow

VERSIONS_DRAWN = 30
WORTH_A_LINE = 2


def quality(rows: Sequence[VersionRow]) -> Plot | None:
    """F1 and average precision against the reviews learnt from; refused versions stand beside the lines.

    None below two versions.
    """
    judged = [row for row in rows if row.f1 is not None and row.average_precision is not None]
    judged.sort(key=lambda row: (row.version.trained_reviews, row.version.number))
    if len(judged) < WORTH_A_LINE:
        return None
    return plot(
        "line",
        f"F1 and average precision of {len(judged)} versions by the reviews they learnt from",
        [
            Column("Version", "name", "text"),
            Column("Reviews", "x"),
            Column("F1", "line", "share"),
            *_bounds(),
            Column("AP", "line", "share", tone="context"),
            Column("AP from", "", "share"),
            Column("AP to", "", "share"),
        ],
        [
            (
                f"v{row.version.number}",
                row.version.trained_reviews,
                row.f1,
                *bounds_of(row.version.metrics, "micro_f1"),
                row.average_precision,
                *bounds_of(row.version.metrics, "macro_average_precision"),
            )
            for row in judged
        ],
        tones=[_tone(row) for row in judged],
        traits="dots",
    )


def of_versions(versions: Sequence[ModelVersion], live_id: int | None) -> list[TitledPlot]:
    """F1 with its interval and keystrokes an image, by version; nothing before there are two to compare."""
    judged = [version for version in versions if version.metrics.get("micro_f1") is not None]
    if len(judged) < WORTH_A_LINE:
        return []
    names = [f"v{version.number}" for version in judged]
    tones = ["live" if version.pk == live_id else "" for version in judged]
    figures = [version.metrics for version in judged]
    f1 = plot(
        "line",
        "F1 by model version",
        [Column("Version", "name", "text"), Column("F1", "line", "share"), *_bounds()],
        [
            (name, one["micro_f1"], *bounds_of(one, "micro_f1"))
            for name, one in zip(names, figures, strict=True)
        ],
        tones=tones,
        traits="dots",
    )
    keystrokes = plot(
        "columns",
        "Keystrokes an image by model version",
        [
            Column("Version", "name", "text"),
            Column("Keystrokes", "bar", "number"),
            Column("Empty form", "ref", "number"),
        ],
        [
            (name, one.get("keystrokes"), one.get("empty_form_keystrokes"))
            for name, one in zip(names, figures, strict=True)
        ],
        tones=tones,
    )
    return [
        TitledPlot("F1 by model version", "all tags together, with its 95 % interval", f1),
        TitledPlot("Keystrokes an image", "what correcting the offer costs, by version", keystrokes),
    ]


ALL_TAGS = "all tags"


def precision_recall(points: Sequence[Mapping[str, Any]], at: Mapping[str, float | None]) -> Plot | None:
    """The curve over all tags together, and where their thresholds lie; None where nothing is known."""
    if not points:
        return None
    title = "Precision against recall over all tags together"
    return _precision_recall(title, [(ALL_TAGS, points)], "At each tag’s threshold", at)


def tag_precision_recall(
    name: str,
    points: Sequence[Mapping[str, Any]],
    all_points: Sequence[Mapping[str, Any]],
    at: Mapping[str, float | None],
) -> Plot | None:
    """The curve of one tag, with its threshold, before that of all together; None where the tag has no yes."""
    if not points:
        return None
    title = f"Precision against recall of {name} and of all tags together"
    return _precision_recall(title, [(name, points), (ALL_TAGS, all_points)], "At its threshold", at)


def _precision_recall(
    title: str,
    curves: Sequence[tuple[str, Sequence[Mapping[str, Any]]]],
    mark: str,
    at: Mapping[str, float | None],
) -> Plot:
    """The first curve is the one to look at; `mark` names the point that its offers reach."""
    named = [(name, point) for name, points in curves for point in points]
    reached = [at] if at["recall"] is not None and at["precision"] is not None else []
    return plot(
        "line",
        title,
        [
            Column("Tag", "series", "text"),
            Column("Threshold", "", "share"),
            Column("Recall", "x", "share"),
            Column("Precision", "line", "share"),
            Column(mark, "point", "share"),
        ],
        [
            *((name, point["threshold"], point["recall"], point["precision"], None) for name, point in named),
            *((curves[0][0], one["threshold"], one["recall"], None, one["precision"]) for one in reached),
        ],
        tones=[
            *("ink" if name == curves[0][0] else "context" for name, _ in named),
            *("ink" for _ in reached),
        ],
        low=0,
        high=1,
    )


def histogram(steps: Sequence[Step]) -> Plot | None:
    """Which share of yes and of no has which score; None where nothing was judged."""
    if not steps:
        return None
    yes, no = max(1, sum(step.yes for step in steps)), max(1, sum(step.no for step in steps))
    return plot(
        "columns",
        "Scores of yes and of no",
        [
            Column("Score", "name", "text"),
            Column("No", "bar", "percent", tone="soft"),
            Column("Yes", "bar", "percent", tone="bar"),
            Column("Pairs with no"),
            Column("Pairs with yes"),
        ],
        [
            (
                f"{written(step.low, 'share')} to {written(step.high, 'share')}",
                step.no / no,
                step.yes / yes,
                step.no,
                step.yes,
            )
            for step in steps
        ],
        low=0,
    )


def pairs(found: Sequence[Pair], names: Mapping[int, str]) -> Plot | None:
    """Tags that come together: on how many images people said both, and the model would; None without any."""
    if not found:
        return None
    return plot(
        "dumbbells",
        "Tags that come together, by people and by the model",
        [
            Column("Pair", "name", "text"),
            Column("People", "to"),
            Column("Model", "from"),
            Column("Model against people", "label", "text"),
        ],
        [
            (
                " + ".join(names.get(tag_id, "?") for tag_id in pair.tag_ids),
                pair.said,
                pair.predicted,
                f"{pair.predicted - pair.said:+d}".replace("-", "−").replace("+0", "0"),
            )
            for pair in found
        ],
        low=0,
    )


def compared(rows: Sequence[ComparedTag], one: str, other: str, figure: str) -> Plot | None:
    """Both versions' figure of each tag, with the intervals in the table."""
    if not rows:
        return None
    return plot(
        "dumbbells",
        f"{figure} of {one} and of {other}, tag by tag",
        [
            Column("Tag", "name", "text"),
            Column(one, "from", "share"),
            Column("at least", "", "share"),
            Column("at most", "", "share"),
            Column(other, "to", "share"),
            Column("at least", "", "share"),
            Column("at most", "", "share"),
            Column("Change", "label", "text"),
            Column("Yes judged"),
        ],
        [
            (
                row.name,
                row.before,
                *row.before_bounds,
                row.after,
                *row.after_bounds,
                row.missing or written(row.change, "signed"),
                row.judged_yes,
            )
            for row in rows
        ],
        tones=[row.tone for row in rows],
        low=0,
        high=1,
    )


def tuning(points: Sequence[Mapping[str, Any]], epochs: int) -> Plot | None:
    """Average precision by epoch, of at most so many, over that of the frozen backbone, which is epoch 0."""
    if not points:
        return None
    frozen = points[0]["average_precision"]
    return plot(
        "line",
        "Average precision and loss by epoch",
        [
            Column("Epoch", "x"),
            Column("AP", "line", "share"),
            Column("Frozen", "ref", "share"),
            Column("Loss in training", "", "precise"),
            Column("Loss held back", "", "precise"),
            Column("Seconds"),
        ],
        [
            (
                point["epoch"],
                point["average_precision"],
                frozen,
                point["loss"],
                point["held_back_loss"],
                point["seconds"],
            )
            for point in points
        ],
        traits="dots",
        span=epochs,
    )


def losses(points: Sequence[Mapping[str, Any]], epochs: int) -> Plot | None:
    """Both losses by epoch, of at most so many, from the first that was trained."""
    trained = [point for point in points if point["loss"] is not None]
    if not trained:
        return None
    return plot(
        "line",
        "Loss by epoch",
        [
            Column("Epoch", "x"),
            Column("Training", "line", "precise"),
            Column("Held back", "line", "precise", tone="context"),
        ],
        [(point["epoch"], point["loss"], point["held_back_loss"]) for point in trained],
        traits="dots",
        low=0,
        span=epochs,
    )


def calibration(points: Sequence[Mapping[str, Any]]) -> Plot | None:
    """How often scores came true, by step of the score; larger points stand for more pairs."""
    if not points:
        return None
    return plot(
        "points",
        "How often scores came true",
        [
            Column("Score", "x", "share"),
            Column("Came true", "point", "share"),
            Column("Pairs", "size"),
        ],
        [(point["score"], point["came_true"], point["pairs"]) for point in points],
        low=0,
        high=1,
        traits="diagonal",
    )


def bounds_of(figures: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    """The interval of a figure; two Nones where it has none."""
    low, high = figures.get(f"{name}_interval") or (None, None)
    return low, high


def _bounds() -> tuple[Column, Column]:
    return Column("from", "low", "share"), Column("to", "high", "share")


def _tone(row: VersionRow) -> str:
    if row.state == "live":
        return "live"
    return "" if row.version.activated_at is not None else "stop"
