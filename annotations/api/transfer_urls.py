"""Addresses below /api/v1/projects/{p}/ through which files come in and go out."""

from django.urls import path

from annotations.api import exports, files, imports, snapshots

urlpatterns = [
    path("imports/", imports.ImportList.as_view(), name="api-imports"),
    path("imports/<int:job_id>/", imports.ImportDetail.as_view(), name="api-import"),
    path("imports/<int:job_id>/cancel/", imports.ImportCancel.as_view(), name="api-import-cancel"),
    path("exports/", exports.ExportList.as_view(), name="api-exports"),
    path("exports/formats/", exports.ExportFormats.as_view(), name="api-export-formats"),
    path("exports/<int:job_id>/", exports.ExportDetail.as_view(), name="api-export"),
    path("exports/<int:job_id>/cancel/", exports.ExportCancel.as_view(), name="api-export-cancel"),
    path("exports/<int:job_id>/download/", exports.ExportDownload.as_view(), name="api-export-download"),
    path("exports/<int:job_id>/manifest/", exports.ExportManifest.as_view(), name="api-export-manifest"),
    path("snapshots/", snapshots.SnapshotList.as_view(), name="api-snapshots"),
    path("snapshots/<int:snapshot_id>/", snapshots.SnapshotDetail.as_view(), name="api-snapshot"),
    path(
        "snapshots/<int:snapshot_id>/compare/<int:other_id>/",
        snapshots.SnapshotCompare.as_view(),
        name="api-snapshot-compare",
    ),
    path("images/<int:image_id>/file/", files.ImageFile.as_view(), name="api-image-file"),
    path("images/<int:image_id>/thumbnail/", files.ImageThumbnail.as_view(), name="api-image-thumbnail"),
]
