"""Addresses of the pages that belong to the model. The API's stand in `mlmodels/api/urls.py`."""

from django.urls import path

from mlmodels.views import agreement, asking, compare, finetune, models, quality, similar, take, version

_models = "projects/<int:project_id>/models"

urlpatterns = [
    path(
        "projects/<int:project_id>/gallery/<int:image_id>/similar/",
        similar.SimilarPart.as_view(),
        name="image-similar",
    ),
    path("projects/<int:project_id>/quality/", quality.QualityPage.as_view(), name="quality"),
    path("projects/<int:project_id>/quality/agreement/", agreement.AgreementPage.as_view(), name="agreement"),
    path(f"{_models}/", models.ModelsPage.as_view(), name="models"),
    path(f"{_models}/compare/", compare.ComparePage.as_view(), name="models-compare"),
    path(f"{_models}/train/", models.TrainNow.as_view(), name="model-train"),
    path(f"{_models}/finetune/", finetune.FinetunePage.as_view(), name="model-finetune"),
    path(f"{_models}/policy/", models.PolicyPage.as_view(), name="model-policy"),
    path(f"{_models}/asking/", asking.AskingPage.as_view(), name="model-asking"),
    path(f"{_models}/asking/whole/", asking.WholeProjectPart.as_view(), name="model-whole-project"),
    path(f"{_models}/runs/<int:run_id>/cancel/", models.CancelRun.as_view(), name="model-run-cancel"),
    path(f"{_models}/<int:version_id>/", version.VersionPage.as_view(), name="model"),
    path(f"{_models}/<int:version_id>/take/", take.MakeFile.as_view(), name="model-take"),
    path(
        f"{_models}/<int:version_id>/take/<int:job_id>/cancel/",
        take.CancelFile.as_view(),
        name="model-take-cancel",
    ),
    path(f"{_models}/<int:version_id>/activate/", models.ActivatePage.as_view(), name="model-activate"),
]
