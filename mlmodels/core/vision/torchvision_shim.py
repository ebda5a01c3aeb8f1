"""Lets torchvision be imported when its compiled library was built for another torch than the one installed.

Only the two operators whose absence stops the import get a schema here, without code behind them: models and
transforms work, non-maximum suppression does not.
"""

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_libraries: list[torch.library.Library] = []  # a schema lives as long as the library that defined it


def ensure_operators() -> bool:
    """Define the missing schemas if, and only if, torchvision's own library cannot load.

    Returns:
        True if schemas had to be defined, by this call or an earlier one.

    Example:
        >>> defined = ensure_operators()
        >>> import torchvision
        >>> ensure_operators() == defined
        True
    """
    if not _libraries and not hasattr(torch.ops.torchvision, "nms") and not _own_library_loads():
        library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            library.define(schema)
        _libraries.append(library)
    return bool(_libraries)


def _own_library_loads() -> bool:
    found = importlib.util.find_spec("torchvision")
    folders = [Path(folder) for folder in (found.submodule_search_locations or [])] if found else []
    for file in (file for folder in folders for file in sorted(folder.glob("_C*")) if file.is_file()):
        try:
            torch.ops.load_library(str(file))
        except (OSError, ImportError):
            continue
        return True
    return False


ensure_operators()
