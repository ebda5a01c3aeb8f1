"""How far a project is with the extractor that its settings ask for, as pages and the API say it. Reads only."""

from dataclasses import dataclass

from annotations.selectors import model_inputs
from mlmodels import selectors


@dataclass(frozen=True)
class ExtractorProgress:
    """How far a project is with its extractor.

    `asked` is the name in the settings, `read` the key of what suggestions read, empty before the first features.
    `state` is waiting (for a worker), broken (see `problem`), looking, judging (a version of it is made and
    judged, and the one before serves until it passes), or serving. Counts are 0 while it serves.
    """

    asked: str
    read: str
    state: str
    problem: str = ""
    looked_at: int = 0
    images: int = 0

    @property
    def needs_telling(self) -> bool:
        """Whether there is anything that a page should say."""
        return self.state != "serving" or bool(self.problem)


def of_project(project_id: int) -> ExtractorProgress:
    """A few queries; images are counted only while the extractor looks at them."""
    project = model_inputs.project(project_id)
    state, read = selectors.project_extractor(project_id), selectors.read_extractor(project_id)
    asked = project.extractor if project else ""
    key = read.key if read else ""
    if state is None or state.name != asked:
        return ExtractorProgress(asked, key, "waiting")
    if state.problem:
        return ExtractorProgress(state.name, key, "broken", state.problem)
    if state.extractor is None:
        return ExtractorProgress(state.name, key, "waiting", state.serving_problem)
    if state.complete_at is None:
        return ExtractorProgress(
            state.name,
            key,
            "looking",
            state.serving_problem,
            selectors.looked_at_count(project_id, state.extractor.pk),
            model_inputs.image_rows(project_id).count(),
        )
    serves = read is not None and read.pk == state.extractor_id
    return ExtractorProgress(state.name, key, "serving" if serves else "judging", state.serving_problem)
