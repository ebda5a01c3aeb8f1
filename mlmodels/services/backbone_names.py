"""Names of the backbones that the installed timm registers, read from its source text.

A web process must not import timm, which loads torch. Tags after a dot ("resnet50.tv_in1k") are left to the
worker, which asks timm itself.
"""

import difflib
import importlib.util
import re
from functools import lru_cache
from pathlib import Path

from annotations.errors import BadInput

_REGISTERED = re.compile(r"^@register_model\s*\ndef (\w+)\(", re.MULTILINE)
NEAR_NAMES = 3


@lru_cache(maxsize=1)
def architectures() -> tuple[str, ...]:
    """Every architecture by name, sorted; empty where timm is not installed beside the web processes."""
    found = importlib.util.find_spec("timm")
    folders = (
        [Path(folder) / "models" for folder in (found.submodule_search_locations or [])] if found else []
    )
    files = [file for folder in folders for file in folder.glob("*.py")]
    names = {name for file in files for name in _REGISTERED.findall(file.read_text(encoding="utf-8"))}
    return tuple(sorted(names))


def refuse_unknown(name: str) -> None:
    """Raise BadInput with the nearest names if timm has no such architecture."""
    known = architectures()
    architecture, dot, tag = name.partition(".")
    if not known or (architecture in known and bool(dot) == bool(tag)):
        return
    near = difflib.get_close_matches(architecture, known, n=NEAR_NAMES)
    hint = f"Did you mean {', '.join(near)}?" if near else "Use a timm name, such as resnet50."
    raise BadInput(
        f"Expected the timm name of a backbone as extractor, got “{name}”. {hint}",
        code="unknown_extractor",
        near=near,
    )
