"""Addresses of the API below /api/v1/ that belong to the model."""

from django.urls import path

from mlmodels.api import extractor, predict, runs, similar, versions

_project = "projects/<int:project_id>"

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
    path(f"{_project}/images/<int:image_id>/similar/", similar.SimilarImages.as_view(), name="api-similar"),
    path(f"{_project}/predict/", predict.Predict.as_view(), name="api-predict"),
]
