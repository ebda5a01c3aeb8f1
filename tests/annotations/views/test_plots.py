"""Plots as tables: numbers for readers and for the browser, side by side."""

import pytest
from django.template.loader import render_to_string

from annotations.views.plots import Column, plot, written


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1234.0, "count", "1,234"),
        (0.613, "share", ".61"),
        (0.997, "share", "1.00"),
        (0.613, "percent", "61 %"),
        (2.834, "number", "2.83"),
        (0.034, "signed", "+.03"),
        (-0.11, "signed", "−.11"),
        (0.001, "signed", "0"),
        (None, "share", "–"),
    ],
)
def test_numbers_as_readers_see_them(value, form, text):
    assert written(value, form) == text


def test_the_table_carries_roles_tones_and_whole_numbers():
    made = plot(
        "line",
        "F1 by version",
        [Column("Version", "name", "text"), Column("F1", "line", "share", tone="context")],
        [("v1", 0.6134567), ("v<2>", None)],
        tones=["", "stop"],
        low=0,
        high=1,
        traits="dots",
    )
    html = render_to_string("partials/_plot.html", {"plot": made})
    assert '<data-plot kind="line" name="F1 by version" low="0" high="1" traits="dots">' in html
    assert 'data-role="line" data-form="share" data-tone="context" class="end">F1</th>' in html
    assert 'data-value="0.6134567" class="end">.61</td>' in html
    assert '<tr data-tone="stop"><th scope="row">v&lt;2&gt;</th><td class="end">–</td></tr>' in html


def test_a_row_has_a_value_for_each_column():
    with pytest.raises(ValueError, match="zip"):
        plot("rows", "Tags", [Column("Tag", "name", "text")], [("dog", 3)])
