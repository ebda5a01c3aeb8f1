"""The arrows between the parts, held: who may import whom, read from the import statements themselves."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Layers of each app, from the outside in: a module imports its own layer and those after it.
INTERFACES = ("views", "api", "forms", "admin", "management", "tasks", "urls", "receivers", "templatetags")
CORE_LIBRARIES = {
    "numpy",
    "torch",
    "torchvision",
    "timm",
    "PIL",
    "spacy",
    "openvino",
    "onnx",
    "onnxruntime",
    "safetensors",
    "tokenizers",
    "threadpoolctl",
}
MLMODELS_MAY_USE = {
    "annotations.selectors",
    "annotations.services",
    "annotations.types",
    "annotations.signals",
    "annotations.errors",
    "annotations.pictures",  # safe decoding without Django: docs/decisions/0004
    "annotations.models.job",  # every kind of job has one shape and one life
}
# What an interface of the model's side shares with the interfaces of annotations.
SHARED_INTERFACES = {
    "annotations.api",
    "annotations.views",
    "annotations.models",
    "annotations.permissions",
    "annotations.numbers",
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """Absolute names that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def offences(package: str, is_forbidden) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, path in modules(package)
        for name in sorted(imports(path))
        if is_forbidden(module, name)
    ]


def layer(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_annotations_never_imports_mlmodels():
    assert offences("annotations", lambda module, name: within(name, "mlmodels")) == []


def test_core_is_free_of_django_celery_and_the_database():
    allowed = CORE_LIBRARIES | set(sys.stdlib_module_names)

    def is_forbidden(module: str, name: str) -> bool:
        return not within(name, "mlmodels.core") and name.split(".")[0] not in allowed

    assert offences("mlmodels.core", is_forbidden) == []


def test_mlmodels_uses_only_what_annotations_offers_it():
    def is_forbidden(module: str, name: str) -> bool:
        if not within(name, "annotations"):
            return False
        offered = set(MLMODELS_MAY_USE)
        if layer(module) in INTERFACES:
            offered |= SHARED_INTERFACES
        if layer(module) == "models":
            offered |= {"annotations.models"}
        return not any(within(name, part) for part in offered)

    assert offences("mlmodels", is_forbidden) == []


@pytest.mark.parametrize("app", ["annotations", "mlmodels"])
def test_services_never_import_an_interface(app):
    def is_forbidden(module: str, name: str) -> bool:
        outward = any(
            within(name, f"{owner}.{part}") for owner in ("annotations", "mlmodels") for part in INTERFACES
        )
        return layer(module) in ("services", "selectors", "models", "types", "errors") and outward

    assert offences(app, is_forbidden) == []


@pytest.mark.parametrize("app", ["annotations", "mlmodels"])
def test_selectors_never_import_services_and_models_import_neither(app):
    def is_forbidden(module: str, name: str) -> bool:
        inner = layer(module)
        services = any(within(name, f"{owner}.services") for owner in ("annotations", "mlmodels"))
        selectors = any(within(name, f"{owner}.selectors") for owner in ("annotations", "mlmodels"))
        return (inner == "selectors" and services) or (inner == "models" and (services or selectors))

    assert offences(app, is_forbidden) == []


def test_only_interfaces_see_a_request():
    for app in ("annotations", "mlmodels"):
        for module, path in modules(app):
            if layer(module) in ("services", "selectors", "models"):
                text = path.read_text(encoding="utf-8")
                assert "request.user" not in text, f"{module} looks into a request"


def test_web_processes_start_without_the_heavy_libraries():
    program = (
        "import django, sys; django.setup(); import tagger.urls, tagger.wsgi; "
        "heavy = {'torch', 'torchvision', 'timm', 'spacy', 'openvino', 'onnx', 'onnxruntime'} & set(sys.modules); "
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
