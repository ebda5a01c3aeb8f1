"""System checks of the model's side, with ids: the folder of model files, and what reads captions where it is named."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def model_folder_is_writable(**_: Any) -> list[CheckMessage]:
    """Without it no run can end; it is made when the first version is stored."""
    folder = Path(settings.MODELS_ROOT)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"Expected to be able to write model files to {folder}, got no permission at {existing}.",
            hint="Give the folder to the account of the workers, or set TAGGER_DATA to another one.",
            id="mlmodels.E001",
        )
    ]


@register()
def spacy_model_loads(**_: Any) -> list[CheckMessage]:
    """Loads it, since only that tells; nothing is loaded where none is named."""
    if not settings.SPACY_MODEL:
        return []
    from mlmodels.core.errors import LanguageDataError
    from mlmodels.services import languages

    try:
        languages.pipeline()
    except LanguageDataError as error:
        return [
            Error(
                f"TAGGER_SPACY_MODEL: {error}.",
                hint="Install that package with pip, or name a folder that holds a saved pipeline.",
                id="mlmodels.E002",
            )
        ]
    return []


@register()
def text_encoder_is_usable(**_: Any) -> list[CheckMessage]:
    """Reads headers and configuration alone: no torch, and nothing at all where none is named."""
    if not settings.TEXT_ENCODER:
        return []
    from mlmodels.core.errors import TextEncoderError
    from mlmodels.core.language import encoder_files

    try:
        encoder_files.check_folder(settings.TEXT_ENCODER)
    except TextEncoderError as error:
        return [
            Error(
                f"TAGGER_TEXT_ENCODER: {error}.",
                hint="Name a folder with a sentence encoder of BERT's architecture, or unset the variable.",
                id="mlmodels.E003",
            )
        ]
    return []
