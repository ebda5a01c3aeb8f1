"""Tags that connect templates with static files and components: import map, icons, navigation, form fields.

No queries and no rules here: what a person may do is decided by the views; navigation only leaves out what
a role cannot open and pages that this installation does not serve.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, FileInput
from django.template import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

ROLES = ("annotator", "reviewer", "manager", "admin")
VENDOR_MODULES = {
    "chart.js": "vendor/chart.js/chart.umd.min.js",
    "idb-keyval": "vendor/idb-keyval/index.js",
}
SCRIPTS = Path(settings.BASE_DIR) / "static" / "js"
BARE_IMPORT = re.compile(r'(?:from|import) "([^"./][^"]*)"')
AVATAR_HUES = 4


@dataclass(frozen=True)
class NavPage:
    """A page of a project: the name of its address, and the least role that may open it."""

    name: str
    title: str
    icon: str
    role: str = "annotator"
    minor: bool = False


@dataclass(frozen=True)
class NavLink:
    """A link as the side shows it; minor ones move into "More" on phones."""

    title: str
    icon: str
    href: str
    is_current: bool
    minor: bool
    count: str | int | None


NAVIGATION: tuple[tuple[NavPage, ...], ...] = (
    (
        NavPage("overview", "Overview", "home"),
        NavPage("review", "Review", "review"),
        NavPage("verify", "Verify", "verify", role="reviewer", minor=True),
        NavPage("gallery", "Gallery", "gallery", role="reviewer"),
        NavPage("tags", "Tags", "tag"),
        NavPage("flags", "Flags", "flag", minor=True),
    ),
    (
        NavPage("models", "Models", "model", role="manager", minor=True),
        NavPage("quality", "Quality", "quality", role="reviewer", minor=True),
        NavPage("people", "People", "people", role="manager", minor=True),
        NavPage("settings", "Settings", "settings", role="manager", minor=True),
    ),
    (
        NavPage("import", "Import", "import", role="manager", minor=True),
        NavPage("export", "Export", "export", role="manager", minor=True),
    ),
)


def module_addresses() -> dict[str, str]:
    """Bare module name to address: every module under static/js, and the libraries."""
    own = {
        path.relative_to(SCRIPTS).with_suffix("").as_posix(): f"js/{path.relative_to(SCRIPTS).as_posix()}"
        for path in sorted(SCRIPTS.rglob("*.js"))
    }
    return {name: static(path) for name, path in (own | VENDOR_MODULES).items()}


@register.simple_tag(takes_context=True)
def import_map(context: Context) -> SafeString:
    """The page's import map; its nonce is the only one the policy knows."""
    # The nonce is made when it is read as a string, and is false until then.
    nonce = str(getattr(context.get("request"), "csp_nonce", ""))
    imports = json.dumps({"imports": module_addresses()}).replace("<", "\\u003c")
    return format_html('<script type="importmap" nonce="{}">{}</script>', nonce, mark_safe(imports))  # noqa: S308


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Fetch everything that a module imports at once, instead of one level after the other."""
    addresses = module_addresses()
    links = [(addresses[name],) for name in sorted(modules_behind(entry)) if name in addresses]
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', links)


def modules_behind(entry: str) -> set[str]:
    """The entry and all that it imports, directly or not, by bare name."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        file = SCRIPTS / f"{name}.js"
        if file.exists():
            waiting += BARE_IMPORT.findall(file.read_text(encoding="utf-8"))
    return found


@register.simple_tag
def icon(name: str, extra_class: str = "") -> SafeString:
    """A line icon from the sprite, for the eye only."""
    css = f"icon {extra_class}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', css, name)


@register.simple_tag
def project_nav(
    project_id: int, role: str, current: str = "", counts: dict[str, Any] | None = None
) -> list[list[NavLink]]:
    """Groups of links that this role may open, in the order of the side."""
    rank = ROLES.index(role) if role in ROLES else 0
    numbers = counts or {}
    groups = []
    for group in NAVIGATION:
        links = [
            NavLink(page.title, page.icon, href, page.name == current, page.minor, numbers.get(page.name))
            for page in group
            if ROLES.index(page.role) <= rank and (href := _address(page.name, project_id))
        ]
        if links:
            groups.append(links)
    return groups


@register.inclusion_tag("partials/_field.html")
def field(bound: BoundField, label: str = "", show_hint: bool = True) -> dict[str, Any]:
    """A form field with name, hint and error, in the look of the components."""
    widget = bound.field.widget
    is_check = isinstance(widget, CheckboxInput)
    plain = is_check or isinstance(widget, FileInput) or bound.use_fieldset
    rendered = bound.as_widget(attrs={} if plain else {"class": "input"})
    hint = bound.help_text if show_hint else ""
    return {
        "field": bound,
        "label": label or bound.label,
        "widget": rendered,
        "is_check": is_check,
        "hint": hint,
    }


@register.filter
def initials(name: str) -> str:
    """Two letters for an avatar: of the first and last word, or the first two of a single one."""
    words = str(name).replace("_", " ").replace(".", " ").replace("-", " ").split()
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


@register.filter
def hue(name: str) -> int:
    """A stable tint from 1 to 4 for an avatar."""
    return sum(map(ord, str(name))) % AVATAR_HUES + 1


@register.filter
def percent(score: float) -> int:
    """A score in [0, 1] as whole percent."""
    return round(float(score) * 100)


def _address(name: str, project_id: int) -> str:
    try:
        return reverse(name, args=[project_id])
    except NoReverseMatch:
        return ""
