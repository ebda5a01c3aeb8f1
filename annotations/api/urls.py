"""Addresses of the API below /api/v1/ that belong to people and data."""

from django.urls import include, path

from annotations.api import (
    annotators,
    audit,
    bulk,
    disagreements,
    duplicates,
    flags,
    images,
    invitations,
    me,
    projects,
    proposals,
    queue,
    reviews,
    tags,
    trash,
    verify,
)

_project = "projects/<int:project_id>"

urlpatterns = [
    path("me/keys/", me.MyKeys.as_view(), name="api-my-keys"),
    path("projects/", projects.ProjectList.as_view(), name="api-projects"),
    path(f"{_project}/", projects.ProjectDetail.as_view(), name="api-project"),
    path(f"{_project}/stats/", projects.ProjectStats.as_view(), name="api-stats"),
    path(f"{_project}/members/", projects.MemberList.as_view(), name="api-members"),
    path(f"{_project}/members/<str:username>/", projects.MemberDetail.as_view(), name="api-member"),
    path(f"{_project}/invitations/", invitations.InvitationList.as_view(), name="api-invitations"),
    path(
        f"{_project}/invitations/<int:invitation_id>/",
        invitations.InvitationDetail.as_view(),
        name="api-invitation",
    ),
    path(f"{_project}/annotators/", annotators.AnnotatorList.as_view(), name="api-annotators"),
    path(f"{_project}/audit/", audit.AuditList.as_view(), name="api-audit"),
    path(f"{_project}/tags/", tags.TagList.as_view(), name="api-tags"),
    path(f"{_project}/tags/<int:tag_id>/", tags.TagDetail.as_view(), name="api-tag"),
    path(f"{_project}/tags/<int:tag_id>/retire/", tags.TagRetire.as_view(), name="api-tag-retire"),
    path(f"{_project}/tags/<int:tag_id>/merge/", tags.TagMerge.as_view(), name="api-tag-merge"),
    path(f"{_project}/tags/<int:tag_id>/split/", tags.TagSplit.as_view(), name="api-tag-split"),
    path(f"{_project}/tags/<int:tag_id>/undo/", tags.TagUndo.as_view(), name="api-tag-undo"),
    path(f"{_project}/proposals/", proposals.ProposalList.as_view(), name="api-proposals"),
    path(
        f"{_project}/proposals/<int:proposal_id>/adopt/",
        proposals.ProposalAdopt.as_view(),
        name="api-proposal-adopt",
    ),
    path(
        f"{_project}/proposals/<int:proposal_id>/dismiss/",
        proposals.ProposalDismiss.as_view(),
        name="api-proposal-dismiss",
    ),
    path(
        f"{_project}/proposals/<int:proposal_id>/restore/",
        proposals.ProposalRestore.as_view(),
        name="api-proposal-restore",
    ),
    path(f"{_project}/trash/", trash.TrashList.as_view(), name="api-trash"),
    path(f"{_project}/trash/restore/", trash.TrashRestore.as_view(), name="api-trash-restore"),
    path(f"{_project}/duplicates/", duplicates.DuplicateList.as_view(), name="api-duplicates"),
    path(
        f"{_project}/duplicates/<int:group_id>/", duplicates.DuplicateDetail.as_view(), name="api-duplicate"
    ),
    path(
        f"{_project}/duplicates/<int:group_id>/join/",
        duplicates.DuplicateJoin.as_view(),
        name="api-duplicate-join",
    ),
    path(
        f"{_project}/duplicates/<int:group_id>/keep/",
        duplicates.DuplicateKeep.as_view(),
        name="api-duplicate-keep",
    ),
    path(
        f"{_project}/duplicates/<int:group_id>/undo/",
        duplicates.DuplicateUndo.as_view(),
        name="api-duplicate-undo",
    ),
    path(f"{_project}/disagreements/", disagreements.Disagreements.as_view(), name="api-disagreements"),
    path(
        f"{_project}/disagreements/<int:decision_id>/undo/",
        disagreements.DisagreementUndo.as_view(),
        name="api-disagreement-undo",
    ),
    path(f"{_project}/flags/", flags.FlagList.as_view(), name="api-flags"),
    path(f"{_project}/flags/<int:flag_id>/", flags.FlagDetail.as_view(), name="api-flag"),
    path(f"{_project}/flags/<int:flag_id>/comments/", flags.FlagComments.as_view(), name="api-flag-comments"),
    path(f"{_project}/flags/<int:flag_id>/resolve/", flags.FlagResolve.as_view(), name="api-flag-resolve"),
    path(f"{_project}/flags/<int:flag_id>/reopen/", flags.FlagReopen.as_view(), name="api-flag-reopen"),
    path(f"{_project}/images/", images.ImageList.as_view(), name="api-images"),
    path(f"{_project}/images/bulk/", bulk.BulkList.as_view(), name="api-bulk-list"),
    path(f"{_project}/images/bulk/<int:job_id>/", bulk.BulkDetail.as_view(), name="api-bulk"),
    path(f"{_project}/images/bulk/<int:job_id>/cancel/", bulk.BulkCancel.as_view(), name="api-bulk-cancel"),
    path(f"{_project}/images/bulk/<int:job_id>/undo/", bulk.BulkUndo.as_view(), name="api-bulk-undo"),
    path(f"{_project}/images/<int:image_id>/", images.ImageDetail.as_view(), name="api-image"),
    path(f"{_project}/queue/next/", queue.QueueNext.as_view(), name="api-queue-next"),
    path(f"{_project}/queue/renew/", queue.QueueRenew.as_view(), name="api-queue-renew"),
    path(f"{_project}/queue/release/", queue.QueueRelease.as_view(), name="api-queue-release"),
    path(f"{_project}/reviews/", reviews.ReviewList.as_view(), name="api-reviews"),
    path(f"{_project}/reviews/<int:review_id>/undo/", reviews.ReviewUndo.as_view(), name="api-review-undo"),
    path(f"{_project}/verify/", verify.Verify.as_view(), name="api-verify"),
    path(f"{_project}/verify/<int:page_id>/undo/", verify.VerifyUndo.as_view(), name="api-verify-undo"),
    path(f"{_project}/", include("annotations.api.transfer_urls")),
]
