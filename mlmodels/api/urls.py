"""Addresses of the API below /api/v1/ that belong to the model."""

from django.urls import path

from mlmodels.api import (
    agreement,
    asking,
    extractor,
    model_exports,
    predict,
    runs,
    similar,
    suspects,
    versions,
)

_project = "projects/<int:project_id>"
_exports = f"{_project}/models/<int:version_id>/exports"

urlpatterns = [
    path(f"{_project}/training-runs/", runs.RunList.as_view(), name="api-training-runs"),
    path(f"{_project}/training-runs/<int:run_id>/", runs.RunDetail.as_view(), name="api-training-run"),
    path(
        f"{_project}/training-runs/<int:run_id>/cancel/",
        runs.RunCancel.as_view(),
        name="api-training-run-cancel",
    ),
    path(f"{_project}/training-policy/", runs.Policy.as_view(), name="api-training-policy"),
    path(f"{_project}/training-policy/ledger/", runs.PolicyLedger.as_view(), name="api-policy-ledger"),
    path(f"{_project}/asking-policy/", asking.Asking.as_view(), name="api-asking-policy"),
    path(f"{_project}/extractor/", extractor.ProjectExtractorDetail.as_view(), name="api-extractor"),
    path(f"{_project}/models/", versions.VersionList.as_view(), name="api-models"),
    path(f"{_project}/models/<int:version_id>/", versions.VersionDetail.as_view(), name="api-model"),
    path(
        f"{_project}/models/<int:version_id>/activate/",
        versions.VersionActivate.as_view(),
        name="api-model-activate",
    ),
    path(
        f"{_project}/models/<int:version_id>/evaluation/",
        versions.VersionEvaluation.as_view(),
        name="api-model-evaluation",
    ),
    path(f"{_exports}/", model_exports.ModelExportList.as_view(), name="api-model-exports"),
    path(f"{_exports}/<int:job_id>/", model_exports.ModelExportDetail.as_view(), name="api-model-export"),
    path(
        f"{_exports}/<int:job_id>/cancel/",
        model_exports.ModelExportCancel.as_view(),
        name="api-model-export-cancel",
    ),
    path(
        f"{_exports}/<int:job_id>/download/",
        model_exports.ModelExportDownload.as_view(),
        name="api-model-export-download",
    ),
    path(f"{_project}/images/<int:image_id>/similar/", similar.SimilarImages.as_view(), name="api-similar"),
    path(f"{_project}/agreement/", agreement.AgreementView.as_view(), name="api-agreement"),
    path(f"{_project}/suspects/", suspects.SuspectsView.as_view(), name="api-suspects"),
    path(
        f"{_project}/suspects/<int:decision_id>/undo/",
        suspects.SuspectUndo.as_view(),
        name="api-suspect-undo",
    ),
    path(f"{_project}/predict/", predict.Predict.as_view(), name="api-predict"),
]
