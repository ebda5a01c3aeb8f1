"""The plots in a real Chromium: drawn from their tables, read by keys, in both themes, and tables without script.

A breach of the content policy or an error of a script fails each test (see `sign_in`).
"""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import expect

from annotations.models import Review
from annotations.views.plots import Column, plot
from tests.factories import make_cast, make_images, make_tags, review_next

# How many different colours the drawing has, and the brightest one.
INK = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add(data[at]);
    return [...seen];
}"""


# Adds a plot to the page and keeps what is written into it, and where.
WRITTEN = """html => {
    window.written = {};
    const fill = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        const start = this.getTransform().e / devicePixelRatio + x;
        const left = start - {right: 1, center: 0.5, left: 0}[this.textAlign] * this.measureText(text).width;
        window.written[text] = {x, y, left, align: this.textAlign};
        fill.call(this, text, x, y);
    };
    document.querySelector("main").insertAdjacentHTML("beforeend", html);
}"""


@pytest.fixture
def cast(transactional_db):
    made = make_cast()
    make_tags(made.project, "dog", "boat")
    make_images(made.project, 6)
    for _ in range(5):
        review_next(made, made.annotator, yes=("dog",))
    yesterday = timezone.now() - timedelta(days=1)
    Review.objects.filter(pk__in=Review.objects.order_by("pk")[:2]).update(created_at=yesterday)
    return made


@pytest.fixture
def address(cast):
    return f"/projects/{cast.project.pk}/"


def plot_of(page, name):
    return page.locator(f"data-plot[name^='{name}']")


@pytest.fixture
def page(cast, sign_in, address):
    page = sign_in(cast.manager, address, color_scheme="light")
    expect(page.locator("data-plot[data-drawn]").first).to_be_visible()
    return page


def test_a_plot_is_drawn_and_its_table_is_behind_it(page):
    plot = plot_of(page, "Reviews by day")
    assert len(plot.locator("canvas").evaluate(INK)) > 5
    expect(plot.locator("table")).to_be_hidden()
    plot.get_by_text("Table", exact=True).click()
    expect(plot.locator("table")).to_be_visible()
    expect(plot.get_by_role("row", name="Today 3")).to_be_visible()


def test_arrow_keys_read_a_plot(page):
    plot = plot_of(page, "Reviews by day")
    plot.get_by_role("img").focus()
    page.keyboard.press("End")
    expect(plot.locator("[aria-live]")).to_have_text("Today: Reviews 3")
    page.keyboard.press("ArrowLeft")
    expect(plot.locator("[aria-live]")).to_contain_text("Reviews 2")
    page.keyboard.press("Escape")
    expect(plot.locator("[aria-live]")).to_be_empty()


def test_a_change_of_theme_draws_again(page):
    canvas = plot_of(page, "Reviews by day").locator("canvas")
    before = min(canvas.evaluate(INK))
    page.locator("[data-theme-toggle]").first.click()
    page.wait_for_function(
        f"([canvas, before]) => Math.min(...({INK})(canvas)) > before", arg=[canvas.element_handle(), before]
    )


def test_an_element_that_htmx_brings_is_drawn_and_one_that_goes_is_let_go(page):
    plot = plot_of(page, "Reviews by day")
    plot.evaluate("plot => { const copy = plot.cloneNode(true); plot.replaceWith(copy) }")
    expect(plot.locator("canvas")).to_have_count(1)
    page.wait_for_function(
        f"canvas => ({INK})(canvas).length > 5", arg=plot.locator("canvas").element_handle()
    )


def test_without_script_the_tables_are_there(cast, sign_in, address):
    page = sign_in(cast.manager, address, java_script_enabled=False)
    plot = plot_of(page, "Reviews by day")
    expect(plot.get_by_role("row", name="Today 3")).to_be_visible()
    expect(plot.locator("canvas")).to_have_count(0)


def test_the_name_of_a_line_that_ends_early_is_not_struck_through_by_the_one_that_goes_on(page):
    columns = [
        Column("Images", "x"),
        Column("Measured", "line", "share"),
        Column("Expected", "line", "share"),
    ]
    rows = [(10, 0.4, None), (100, 0.6, None), (100, None, 0.6), (200, None, 0.7)]
    made = plot("line", "AP by images", columns, rows)
    page.evaluate(WRITTEN, render_to_string("partials/_plot.html", {"plot": made}))
    page.wait_for_function("window.written['Expected .70'] !== undefined")
    early, last = (page.evaluate(f"window.written['{name}']") for name in ("Measured .60", "Expected .70"))
    assert (early["align"], last["align"]) == ("right", "left")
    assert early["x"] < last["x"] - 50


def test_long_names_beside_lying_bars_are_shortened_at_their_end_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    name = "Wholesale warehouses with mammoths"
    columns = [Column("Tag", "name"), Column("Yes", "bar"), Column("Said", "label", "text")]
    rows = [(name, 12, "12 yes and a long remark on them"), ("dog", 40, "40 yes and a long remark on them")]
    made = plot("rows", "Yes by tag", columns, rows)
    page.evaluate(WRITTEN, render_to_string("partials/_plot.html", {"plot": made}))
    page.wait_for_function("window.written['dog'] !== undefined")
    written = page.evaluate("window.written")
    [shown] = [text for text in written if text.endswith("…")]
    assert name.startswith(shown.removesuffix("…"))
    assert written[shown]["left"] >= -1


def test_review_loads_nothing_of_the_plots(cast, sign_in, address):
    page = sign_in(cast.annotator, f"{address}review/")
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert loaded and not [
        name for name in loaded if "chart" in name or "plot.js" in name or "/plots/" in name
    ]
