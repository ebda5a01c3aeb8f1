"""The template tags that join templates, static files and roles."""

import json
import re

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory, override_settings
from django.urls import path
from django.views.generic import View

from annotations.templatetags import frontend

urlpatterns = [
    path("projects/<int:project_id>/", View.as_view(), name="overview"),
    path("projects/<int:project_id>/review/", View.as_view(), name="review"),
    path("projects/<int:project_id>/import/", View.as_view(), name="import"),
    path("projects/<int:project_id>/models/", View.as_view(), name="models"),
]


def render(source: str, **context: object) -> str:
    return Template("{% load frontend %}" + source).render(Context(context))


def titles(role: str) -> list[str]:
    return [link.title for group in frontend.project_nav(7, role) for link in group]


def test_import_map_names_every_module_and_carries_the_nonce() -> None:
    request = RequestFactory().get("/")
    request.csp_nonce = "n0nce"
    html = render("{% import_map %}", request=request)
    assert 'nonce="n0nce"' in html
    imports = json.loads(re.search(r">(\{.*\})<", html).group(1))["imports"]
    assert imports["lib/api"].endswith("js/lib/api.js")
    assert imports["review/page"].endswith("js/review/page.js")
    assert imports["idb-keyval"].endswith("vendor/idb-keyval/index.js")


def test_every_bare_import_of_a_module_is_in_the_import_map() -> None:
    known = frontend.module_addresses()
    root = frontend.Path(frontend.settings.BASE_DIR) / "static" / "js"
    wanted = {
        (file.name, name)
        for file in root.rglob("*.js")
        for name in re.findall(r'from "([^"./][^"]*)"', file.read_text())
    }
    assert wanted
    assert [pair for pair in sorted(wanted) if pair[1] not in known] == []


def test_preloading_follows_imports_to_the_last_module() -> None:
    behind = frontend.modules_behind("review/page")
    assert {"review/page", "lib/outbox", "idb-keyval", "lib/backoff"} <= behind
    html = render("{% preload_modules 'review/page' %}")
    assert html.count('rel="modulepreload"') == len(behind)


@override_settings(ROOT_URLCONF=__name__)
def test_navigation_shows_what_the_role_may_open_and_what_is_served() -> None:
    assert titles("annotator") == ["Overview", "Review"]
    assert titles("manager") == ["Overview", "Review", "Models", "Import"]


@override_settings(ROOT_URLCONF=__name__)
def test_navigation_marks_the_present_page_and_shows_counts() -> None:
    links = {link.title: link for link in frontend.project_nav(7, "annotator", "review", {"review": 12})[0]}
    assert links["Review"].is_current and not links["Overview"].is_current
    assert links["Review"].count == 12 and links["Overview"].count is None
    assert links["Review"].href == "/projects/7/review/"


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    base = frontend.Path(frontend.settings.BASE_DIR)
    sprite = set(re.findall(r'id="i-([a-z-]+)"', (base / "templates/partials/_icons.html").read_text()))
    templates = "".join(file.read_text() for file in (base / "templates").rglob("*.html"))
    modules = "".join(file.read_text() for file in (base / "static/js").rglob("*.js"))
    used = set(re.findall(r'\{% icon "([a-z-]+)"', templates))
    used |= set(re.findall(r'icon_name="([a-z-]+)"', templates))
    used |= set(re.findall(r'\bicon\("([a-z-]+)"', modules)) | set(re.findall(r'mark: "([a-z-]+)"', modules))
    used |= {page.icon for group in frontend.NAVIGATION for page in group}
    assert used - sprite == set()


def test_field_shows_name_hint_and_error() -> None:
    class TagForm(forms.Form):
        name = forms.CharField(help_text="Unique in the project")

    html = render("{% field form.name %}", form=TagForm({"name": ""}))
    assert 'class="input"' in html and 'aria-invalid="true"' in html
    assert "Unique in the project" in html and "This field is required." in html


@pytest.mark.parametrize(
    ("name", "letters"), [("Ines Roth", "IR"), ("ines", "IN"), ("anna-maria.lo", "AL"), ("", "?")]
)
def test_initials_of_a_name(name: str, letters: str) -> None:
    assert frontend.initials(name) == letters


def test_no_template_breaks_the_strict_policy() -> None:
    """No style attribute, no handler, no inline script; data blocks and the import map are made by tags."""
    base = frontend.Path(frontend.settings.BASE_DIR) / "templates"
    broken = [
        str(file.relative_to(base))
        for file in base.rglob("*.html")
        if re.search(r'\sstyle=|\son[a-z]+="|<script(?![^>]*\bsrc=)', file.read_text())
    ]
    assert broken == []
