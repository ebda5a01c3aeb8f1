"""Makes the Celery application the default one wherever Django runs, and registers the system checks."""

from django.apps import AppConfig


class TaggerConfig(AppConfig):
    name = "tagger"

    def ready(self) -> None:
        from tagger import celery, checks  # noqa: F401 - importing registers
