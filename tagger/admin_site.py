"""Django's admin as the back door: what is stored, for installation admins to look at.

Which tables, each app's `admin.py` says. People change things through the app, whose services keep
the rules; of what stands here only accounts can be changed.
Tables of other packages (tokens, second factors, schedules) are not registered.
"""

from functools import cached_property
from typing import Any, ClassVar, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect

# Lists go so far back; what is older is found by searching.
LISTED_MOST = 10_000
# What people write at length, of rows that lists name beside their own.
_LONG = {"project": ("description", "instructions"), "image": ("caption", "metadata")}


class Site(admin.AdminSite):
    site_title = "Tagger"
    site_header = "Tagger"
    index_title = "Behind the scenes"
    site_url = "/projects/"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """By the app's own sign-in: a second door would know no second factor and no limit of attempts."""
        return secure_admin_login(super().login)(request, extra_context)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")


site = Site(name="admin")


class BoundedPaginator(Paginator):
    """Counts no further than `LISTED_MOST`, so that a large table is not counted for the sake of page numbers."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet", self.object_list)
        return rows[:LISTED_MOST].count()

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that the pages do not reach, as far as it is known."""
        return self.count >= LISTED_MOST


class BackDoor(admin.ModelAdmin):
    """A list that costs the same for large tables. The site lets only installation admins in: all of them may look."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = BoundedPaginator
    sortable_by: ClassVar[Any] = ()  # not by a column without an index
    ordering: ClassVar[Any] = ("-pk",)
    list_select_related: ClassVar[Any] = ()
    # Columns that may be large: not shown at all, and shown with one row but not fetched with a list.
    heavy: ClassVar[tuple[str, ...]] = ()
    long: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        related = [name for name in self.list_select_related or () if name in _LONG]
        unfetched = [f"{name}__{column}" for name in related for column in _LONG[name]]
        return super().get_queryset(request).defer(*self.heavy, *self.long, *unfetched)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.heavy

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class JobDoor(BackDoor):
    """A list of jobs, which all kinds of them have in common."""

    list_select_related: ClassVar[Any] = ("project", "actor")
    search_fields: ClassVar[Any] = ("=id", "=actor__username", "project__name")
    heavy: ClassVar[tuple[str, ...]] = ("errors",)


class SearchedByWord(BackDoor):
    """Search by a whole word, which an index can answer where there is one; parts of words are found by none."""

    search_fields: ClassVar[Any] = ("pk",)  # shows the field; `found` does the search

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        word = search_term.strip()
        return (self.found(queryset, word) if word else queryset), False

    def found(self, queryset: QuerySet, word: str) -> QuerySet:
        raise NotImplementedError
