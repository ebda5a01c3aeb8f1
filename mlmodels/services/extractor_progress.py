"""How far a project is with the extractor that its settings ask for, as pages and the API say it. Reads only."""

from dataclasses import dataclass, replace

from annotations.selectors import counters, model_inputs
from mlmodels import selectors


@dataclass(frozen=True)
class ExtractorProgress:
    """How far a project is with its extractor.

    `asked` is the name in the settings, `read` the key of what suggestions read, empty before the first features,
    and `serves` its name, or its key where the names are equal.
    `state` is waiting (for a worker), broken (see `problem`), looking, judging (a version of it is made and
    judged, and the one before serves until it passes), or serving. Counts are 0 while it serves.
    """

    asked: str
    read: str
    state: str
    problem: str = ""
    looked_at: int = 0
    images: int = 0
    serves: str = ""

    @property
    def needs_telling(self) -> bool:
        """Whether there is anything that a page should say."""
        return self.state != "serving" or bool(self.problem)


def of_project(project_id: int) -> ExtractorProgress:
    """A few queries; what was looked at is counted only while the extractor looks at images."""
    project = model_inputs.project(project_id)
    state, read = selectors.project_extractor(project_id), selectors.read_extractor(project_id)
    asked = project.extractor if project else ""
    key, name = (read.key, read.name) if read else ("", "")
    told = ExtractorProgress(asked, key, "waiting", serves=key if name == asked else name)
    if state is None or state.name != asked:
        return told
    if state.problem:
        return replace(told, state="broken", problem=state.problem)
    told = replace(told, problem=state.serving_problem)
    if state.extractor is None:
        return told
    if state.complete_at is None:
        looked_at = selectors.looked_at_count(project_id, state.extractor.pk)
        images = counters.read(project_id).get("images", 0)
        return replace(told, state="looking", looked_at=looked_at, images=images)
    return replace(told, state="serving" if read is not None and read.pk == state.extractor_id else "judging")
