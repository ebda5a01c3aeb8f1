"""Which tags are part of which: the merges that stand in a project. Their rules: `merged_verdicts.py`."""

from annotations.models import Project, Tag
from annotations.selectors.merged_verdicts import Merge, Merges


def of_project(project: Project) -> Merges:
    """One query."""
    rows = Tag.objects.filter(project=project, merged_into__isnull=False)
    found = rows.values_list("pk", "merged_into_id", "merged_version", "merged_at")
    return Merges(
        Merge(tag_id, into_id, version, at)
        for tag_id, into_id, version, at in found
        if version is not None and at is not None
    )
