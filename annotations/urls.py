"""Addresses of the pages that belong to people and data. The API's stand in `annotations/api/urls.py`."""

from django.urls import path
from django.views.generic import RedirectView

from annotations.views import (
    bulk,
    exports,
    flags,
    gallery,
    guide,
    image,
    imports,
    keys,
    overview,
    people,
    projects,
    review,
    settings,
    status,
    tags,
    tags_proposed,
    tokens,
    verify,
)

_project = "projects/<int:project_id>"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="projects"), name="home"),
    path("projects/", projects.ProjectsPage.as_view(), name="projects"),
    path("projects/new/", projects.NewProjectPage.as_view(), name="project-new"),
    path("projects/sample/", projects.MakeSampleProject.as_view(), name="sample-project"),
    path(f"{_project}/", overview.OverviewPage.as_view(), name="overview"),
    path(f"{_project}/", overview.OverviewPage.as_view(), name="project"),
    path(f"{_project}/review/", review.ReviewPage.as_view(), name="review"),
    path(f"{_project}/verify/", verify.VerifyPage.as_view(), name="verify"),
    path(f"{_project}/verify/undo/", verify.UndoVerifiedPage.as_view(), name="verify-undo"),
    path(f"{_project}/guide/", guide.GuidePage.as_view(), name="guide"),
    path(f"{_project}/gallery/", gallery.GalleryPage.as_view(), name="gallery"),
    path(f"{_project}/gallery/bulk/", bulk.BulkPage.as_view(), name="gallery-bulk"),
    path(f"{_project}/gallery/bulk/<int:job_id>/", bulk.BulkJobPage.as_view(), name="gallery-bulk-job"),
    path(f"{_project}/gallery/<int:image_id>/", image.ImagePage.as_view(), name="image"),
    path(f"{_project}/flags/", flags.FlagsPage.as_view(), name="flags"),
    path(f"{_project}/tags/", tags.TagsPage.as_view(), name="tags"),
    path(f"{_project}/tags/proposed/", tags_proposed.ProposedPage.as_view(), name="proposals"),
    path(
        f"{_project}/tags/proposed/<int:proposal_id>/", tags_proposed.ProposalPage.as_view(), name="proposal"
    ),
    path(f"{_project}/tags/<int:tag_id>/", tags.TagPage.as_view(), name="tag"),
    path(f"{_project}/tags/<int:tag_id>/retire/", tags.RetireTagPage.as_view(), name="tag-retire"),
    path(f"{_project}/tags/<int:tag_id>/revive/", tags.ReviveTag.as_view(), name="tag-revive"),
    path(f"{_project}/people/", people.PeoplePage.as_view(), name="people"),
    path(f"{_project}/people/<str:username>/", people.MemberPage.as_view(), name="member"),
    path(f"{_project}/import/", imports.ImportPage.as_view(), name="import"),
    path(f"{_project}/import/<int:job_id>/", imports.ImportReportPage.as_view(), name="import-report"),
    path(f"{_project}/import/<int:job_id>/cancel/", imports.CancelImport.as_view(), name="import-cancel"),
    path(
        f"{_project}/import/<int:job_id>/refused.csv", imports.ImportRefusals.as_view(), name="import-refused"
    ),
    path(f"{_project}/export/", exports.ExportPage.as_view(), name="export"),
    path(f"{_project}/export/<int:job_id>/cancel/", exports.CancelExport.as_view(), name="export-cancel"),
    path(f"{_project}/settings/", settings.SettingsPage.as_view(), name="settings"),
    path(f"{_project}/settings/delete/", settings.DeleteProjectPage.as_view(), name="project-delete"),
    path("keys/", keys.KeysPage.as_view(), name="keys"),
    path("tokens/", tokens.TokensPage.as_view(), name="tokens"),
    path("tokens/<str:token_key>/revoke/", tokens.RevokeToken.as_view(), name="token-revoke"),
    path("status/", status.StatusPage.as_view(), name="status"),
    path("status/notice/", status.WorkerNotice.as_view(), name="worker-notice"),
    path("patterns/", status.PatternsPage.as_view(), name="patterns"),
]
