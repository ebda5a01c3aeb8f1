"""The chosen files of `node_modules` as static files below `vendor/`; nothing else of them is served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage, Storage

from tagger.layout import BASE_DIR

NODE_MODULES = BASE_DIR / "node_modules"
# served path -> file in node_modules
VENDOR_FILES = {
    "vendor/idb-keyval/index.js": "idb-keyval/dist/index.js",
    "vendor/chart.js/chart.umd.min.js": "chart.js/dist/chart.umd.min.js",
    # Named at the end of the file before it: storage looks for it.
    "vendor/chart.js/chart.umd.min.js.map": "chart.js/dist/chart.umd.min.js.map",
    "vendor/inter/inter-latin-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
    ),
    "vendor/inter/inter-latin-ext-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2"
    ),
}


class NodeModulesFinder(BaseFinder):
    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = VENDOR_FILES.get(str(Path(path)))
        found = source is not None and (NODE_MODULES / source).exists()
        if find_all:
            return [str(NODE_MODULES / source)] if found and source else []
        return str(NODE_MODULES / source) if found and source else None

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        for served, source in VENDOR_FILES.items():
            if (file := NODE_MODULES / source).exists():
                storage = FileSystemStorage(location=file.parent)
                storage.prefix = str(Path(served).parent)  # type: ignore[attr-defined]
                yield file.name, storage
