from django.apps import AppConfig


class MlmodelsConfig(AppConfig):
    name = "mlmodels"
    verbose_name = "The model"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mlmodels import checks, receivers  # noqa: F401 (importing registers the checks)

        receivers.connect()
