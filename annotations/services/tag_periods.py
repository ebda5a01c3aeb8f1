"""The spans of vocabulary versions in which a tag is asked about, begun and ended under the project's lock."""

from annotations.models import Project, Tag, TagPeriod


def lock(project: Project) -> Project:
    """The project's row, locked: vocabulary versions are handed out one at a time."""
    return Project.objects.select_for_update().get(pk=project.pk)


def lock_to_add(project: Project) -> Project:
    """The same for who only adds tags, which changes nothing that was said: people go on answering meanwhile."""
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def raise_version(project: Project) -> int:
    """The next vocabulary version of a locked project."""
    project.vocabulary_version += 1
    project.save(update_fields=["vocabulary_version"])
    return project.vocabulary_version


def begin(tag: Tag, version: int) -> None:
    TagPeriod.objects.create(tag=tag, since=version)


def end(tag: Tag, version: int) -> None:
    tag.periods.filter(until=None).update(until=version)
