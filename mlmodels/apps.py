from django.apps import AppConfig


class MlmodelsConfig(AppConfig):
    name = "mlmodels"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mlmodels import receivers

        receivers.connect()
