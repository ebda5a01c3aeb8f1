"""What came of an import: the errors of its job, and the verdicts on an image by name."""

from annotations.selectors import truth


def codes(job):
    return [(error["item"], error["code"]) for error in job.errors]


def tags_of(cast, image):
    said = truth.verdicts(cast.project, [image.pk])[image.pk]
    names = dict(cast.project.tags.values_list("pk", "name"))
    return sorted(names[pk] for pk in said.yes), sorted(names[pk] for pk in said.no)
