"""Reads of snapshots, newest first."""

from django.db.models import QuerySet

from annotations.models import Project, Snapshot


def ready(project: Project) -> QuerySet[Snapshot]:
    """Those that are frozen: they can be exported and compared."""
    return Snapshot.objects.filter(project=project).exclude(file_key="").order_by("-id")
