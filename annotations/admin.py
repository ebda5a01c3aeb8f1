"""Tables of people and data behind the scenes. Read-only but for a person's access and password."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from annotations.errors import DomainError
from annotations.models import (
    AuditEvent,
    BulkJob,
    Decision,
    ExportJob,
    Flag,
    Image,
    ImportJob,
    Invitation,
    LiveModel,
    Membership,
    Project,
    Review,
    Snapshot,
    Tag,
    TagChange,
    User,
    VerifiedPage,
)
from annotations.numbers import whole_number
from annotations.services import accounts
from tagger.admin_site import BackDoor, JobDoor, SearchedByWord, site

SHA256_CHARS = 64
JOB_COLUMNS = ("id", "project", "actor", "state", "done", "total", "created_at", "finished_at")


class AccessForm(UserChangeForm):
    actor: User  # who asks: the view sets it

    class Meta:
        model = User
        fields = ("password", "is_active", "is_staff")
        help_texts = {
            "username": "",
            "is_active": "May sign in. Accounts are closed here instead of deleted: what they decided keeps its name.",
            "is_staff": "Admin of this installation: creates projects and sees these pages.",
        }
        labels = {"is_active": "Active", "is_staff": "Installation admin"}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            accounts.refuse_locking_oneself_out(self.instance, cleaned, actor=self.actor)
        except DomainError as error:
            raise forms.ValidationError(error.message) from error
        return cleaned


@admin.register(User, site=site)
class PersonAdmin(BackDoor, UserAdmin):
    form = AccessForm
    list_display = ("username", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff")
    ordering = ("username",)
    search_fields = ("username", "email")
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active", "is_staff")}),
        ("Known", {"fields": ("email", "date_joined", "last_login")}),
    )
    readonly_fields = ("username", "email", "date_joined", "last_login")
    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change=change, **kwargs)  # a class of this request's own
        made.actor = request.user
        return made

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        wanted = {"is_active": obj.is_active, "is_staff": obj.is_staff}
        accounts.set_access(User.objects.get(pk=obj.pk), wanted, actor=form.actor)


@admin.register(Project, site=site)
class ProjectAdmin(BackDoor):
    list_display = ("id", "name", "created_by", "created_at", "reviews_per_image", "deleted_at")
    list_display_links = ("id", "name")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    long = ("description", "instructions")


@admin.register(Membership, site=site)
class MembershipAdmin(BackDoor):
    list_display = ("id", "project", "user", "role", "created_at")
    list_select_related = ("project", "user")
    list_filter = ("role",)
    search_fields = ("=user__username", "project__name")


@admin.register(Invitation, site=site)
class InvitationAdmin(BackDoor):
    list_display = ("id", "project", "role", "note", "created_by", "expires_at", "used_by", "revoked_at")
    list_select_related = ("project", "created_by", "used_by")
    list_filter = ("role",)
    search_fields = ("note", "=created_by__username", "=used_by__username")
    heavy = ("token_sha256",)


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(BackDoor):
    list_display = ("id", "created_at", "project", "actor", "action")
    list_select_related = ("project", "actor")
    search_fields = ("action__startswith", "=actor__username")


@admin.register(Tag, site=site)
class TagAdmin(BackDoor):
    list_display = ("id", "name", "project", "parent", "hotkey", "created_at", "retired_at")
    list_display_links = ("id", "name")
    list_select_related = ("project", "parent")
    search_fields = ("name",)
    heavy = ("trigrams",)


@admin.register(TagChange, site=site)
class TagChangeAdmin(BackDoor):
    list_display = ("id", "project", "kind", "tag", "actor", "created_at", "undone_at")
    list_select_related = ("project", "tag", "actor")
    list_filter = ("kind",)
    search_fields = ("=tag__name", "=actor__username")


@admin.register(Image, site=site)
class ImageAdmin(SearchedByWord):
    list_display = ("id", "name", "project", "state", "is_holdout", "format", "size_bytes", "created_at")
    list_display_links = ("id", "name")
    list_select_related = ("project",)
    list_filter = ("state", "is_holdout")
    long = ("caption", "metadata")
    search_help_text = "An image's id, its sha256, or the whole name of its file."

    def found(self, queryset: QuerySet, word: str) -> QuerySet:
        number = whole_number(word)
        if number is not None:
            return queryset.filter(pk=number)
        if len(word) == SHA256_CHARS:  # the index begins with the project
            return queryset.filter(sha256=word, project__in=Project.objects.all())
        return queryset.filter(name=word)  # no index knows it: this walks through the images


def _of_its_own_or_an_image(word: str) -> Q | None:
    """Rows by their own id or their image's; None for a word that is no id."""
    number = whole_number(word)
    return None if number is None else Q(pk=number) | Q(image=number)


@admin.register(Review, site=site)
class ReviewAdmin(SearchedByWord):
    list_display = (
        "id",
        "image",
        "user",
        "outcome",
        "counted",
        "seconds",
        "model_number",
        "created_at",
        "undone_at",
    )
    list_select_related = ("image", "user")
    list_filter = ("outcome", "source", "counted")
    search_help_text = "The id of a review or of an image, or somebody's user name."

    def found(self, queryset: QuerySet, word: str) -> QuerySet:
        return queryset.filter(
            _of_its_own_or_an_image(word) or Q(user__in=User.objects.filter(username=word))
        )


@admin.register(Decision, site=site)
class DecisionAdmin(SearchedByWord):
    list_display = (
        "id",
        "image",
        "tag",
        "value",
        "user",
        "scope",
        "source",
        "model_number",
        "created_at",
        "undone_at",
    )
    list_select_related = ("image", "tag", "user")
    list_filter = ("value", "scope", "source")
    search_help_text = "The id of a decision or of an image, or the whole name of a tag."

    def found(self, queryset: QuerySet, word: str) -> QuerySet:
        return queryset.filter(_of_its_own_or_an_image(word) or Q(tag__in=Tag.objects.filter(name=word)))


@admin.register(VerifiedPage, site=site)
class VerifiedPageAdmin(BackDoor):
    list_display = ("id", "project", "tag", "user", "yes", "no", "seconds", "created_at", "undone_at")
    list_select_related = ("project", "tag", "user")
    search_fields = ("=tag__name", "=user__username")


@admin.register(Flag, site=site)
class FlagAdmin(BackDoor):
    list_display = ("id", "image", "author", "comment", "created_at", "resolved_at", "resolved_by")
    list_select_related = ("image", "author", "resolved_by")
    search_fields = ("comment", "=author__username")


@admin.register(ImportJob, site=site)
class ImportJobAdmin(JobDoor):
    list_display = (*JOB_COLUMNS, "source")
    list_filter = ("state", "source")


@admin.register(ExportJob, site=site)
class ExportJobAdmin(JobDoor):
    list_display = (*JOB_COLUMNS, "format")
    list_filter = ("state", "format")


@admin.register(Snapshot, site=site)
class SnapshotAdmin(JobDoor):
    list_display = (*JOB_COLUMNS, "name", "sha256")


@admin.register(BulkJob, site=site)
class BulkJobAdmin(JobDoor):
    list_display = (*JOB_COLUMNS, "queue", "delete_images")
    list_filter = ("state",)
    heavy = (*JobDoor.heavy, "image_ids")


@admin.register(LiveModel, site=site)
class LiveModelAdmin(BackDoor):
    list_display = ("project", "number", "provisional", "published_at")
    list_select_related = ("project",)
    search_fields = ("project__name",)
    heavy = ("metrics", "tags")
