"""Tables of the model's life behind the scenes, all of them read-only."""

from django.contrib import admin

from mlmodels.models import (
    Extractor,
    ModelExport,
    ModelVersion,
    PolicyCheck,
    ProjectExtractor,
    TrainingRun,
)
from tagger.admin_site import BackDoor, JobDoor, site


@admin.register(TrainingRun, site=site)
class TrainingRunAdmin(JobDoor):
    list_display = (
        "id",
        "project",
        "actor",
        "trigger",
        "state",
        "stage",
        "created_at",
        "finished_at",
        "reason",
    )
    list_filter = ("state", "trigger")


@admin.register(ModelVersion, site=site)
class ModelVersionAdmin(BackDoor):
    list_display = (
        "id",
        "project",
        "number",
        "verdict",
        "extractor",
        "trained_images",
        "created_at",
        "activated_at",
    )
    list_select_related = ("project", "extractor")
    list_filter = ("verdict",)
    search_fields = ("=id", "project__name")
    heavy = ("details", "tag_metrics", "curves", "tag_ids")


@admin.register(ModelExport, site=site)
class ModelExportAdmin(JobDoor):
    list_display = ("id", "project", "actor", "version", "state", "created_at", "finished_at", "reason")
    list_select_related = ("project", "actor", "version")
    list_filter = ("state",)


@admin.register(PolicyCheck, site=site)
class PolicyCheckAdmin(BackDoor):
    list_display = ("id", "created_at", "project", "outcome", "reason", "run")
    list_select_related = ("project", "run")
    list_filter = ("outcome",)
    search_fields = ("=code", "project__name")


@admin.register(Extractor, site=site)
class ExtractorAdmin(BackDoor):
    list_display = ("id", "key", "name", "dimensions", "created_at")
    search_fields = ("key",)


@admin.register(ProjectExtractor, site=site)
class ProjectExtractorAdmin(BackDoor):
    list_display = ("project", "name", "extractor", "serving", "asked_at", "complete_at", "problem")
    list_select_related = ("project", "extractor", "serving")
    search_fields = ("project__name", "name")
