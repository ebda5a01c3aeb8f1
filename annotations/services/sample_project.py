"""The sample project: scenes that the app draws itself, brought in by an ordinary import.

`create` only writes rows, so that a click answers at once; `run` is the worker's part. It draws what is missing,
stages it, and hands over to the import. Killed half way, it goes on at the first scene that is not staged.
"""

from collections.abc import Sequence
from itertools import islice

from django.db import transaction

from annotations.models import ImportItem, ImportJob, Project, User
from annotations.models.job import FINISHED_STATES
from annotations.sample import VOCABULARY, Scene, draw_scenes
from annotations.selectors.project_cards import SAMPLE_SOURCE
from annotations.services import imports, jobs, projects, storage, tags
from annotations.types import TagSpec

SOURCE = SAMPLE_SOURCE
NAME = "Sample scenes"
COUNT = 240
SEED = 1
# Scenes a step: about one second of drawing, well below the time after which a silent job is taken over.
STEP = 16
INSTRUCTIONS = (
    "Tag what can be seen, however small. The description of each tag says where it ends. "
    "Some things in the scenes have no tag yet: a manager can add them."
)


@transaction.atomic
def create(actor: User, *, count: int = COUNT) -> Project:
    """A new sample project whose scenes a worker will draw; the one that is being made, if there is one."""
    # Two clicks at once meet here, one after the other.
    User.objects.select_for_update().get(pk=actor.pk)
    unfinished = in_the_making(actor)
    if unfinished is not None:
        return unfinished.project
    project = projects.create(
        actor,
        name=NAME,
        description="Drawn by the app, with captions, to look around in. Delete it whenever you like.",
        instructions=INSTRUCTIONS,
    )
    specs = [TagSpec(tag.name, tag.aliases, None, tag.hotkey, tag.description) for tag in VOCABULARY]
    tags.create_many(project, specs, actor=actor)
    ImportJob.objects.create(
        project=project,
        actor=actor,
        source=SOURCE,
        options={"count": count, "seed": SEED, "area": storage.new_staging_area()},
        total=count,
        result={"drawn": 0, "added": 0, "updated": 0, "duplicates": 0, "refused": 0},
    )
    project.refresh_from_db()
    return project


def in_the_making(actor: User) -> ImportJob | None:
    """The person's sample project that a worker has not finished."""
    open_jobs = ImportJob.objects.filter(
        source=SOURCE, actor=actor, project__deleted_at=None, project__created_by=actor
    ).exclude(state__in=FINISHED_STATES)
    return open_jobs.select_related("project").order_by("pk").first()


def job_of(project: Project) -> ImportJob | None:
    """The import that fills this sample project; None for a project of another kind."""
    return ImportJob.objects.filter(project=project, source=SOURCE).order_by("pk").first()


def run(job: ImportJob) -> None:
    """Work a claimed sample import off. Raises what `imports.run` raises if another worker took it over."""
    scenes = draw_scenes(job.options["count"], seed=job.options["seed"])
    staged = set(job.items.values_list("name", flat=True))
    # Scenes that an earlier worker staged are drawn again and dropped: only a sign of life is due for them.
    while step := list(islice(scenes, STEP)):
        row = _stage(job, [scene for scene in step if scene.name not in staged])
        if row.cancel_requested:
            break
    imports.run(job)


def _stage(job: ImportJob, scenes: Sequence[Scene]) -> ImportJob:
    """Write the pictures, then their rows: a row never points at a file that is not there."""
    keys = [f"{job.options['area']}/{scene.name}" for scene in scenes]
    for key, scene in zip(keys, scenes, strict=True):
        storage.put(key, scene.picture)
    with transaction.atomic():
        row = jobs.held(job)
        ImportItem.objects.bulk_create(
            ImportItem(job=job, name=scene.name, staged_key=key, caption=scene.caption)
            for key, scene in zip(keys, scenes, strict=True)
        )
        row.result["drawn"] += len(scenes)
        jobs.beat(row, result=row.result, attempts=1)
    return row
