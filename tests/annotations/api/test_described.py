"""The API's own docs: what each operation does, and what lists take in their address."""

import inspect

import pytest
from drf_spectacular.generators import SchemaGenerator

from annotations.api.base import ProjectView
from annotations.selectors import image_filters

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def operations():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return {
        f"{method} {path}": operation
        for path, found in paths.items()
        for method, operation in found.items()
        if method in METHODS
    }


def parameters(operation) -> set[str]:
    return {one["name"] for one in operation["parameters"] if one["in"] == "query"}


def test_every_operation_says_what_it_does(operations):
    assert len(operations) > 90
    assert [name for name, operation in operations.items() if not operation.get("description")] == []


def test_none_says_what_its_base_class_is_for(operations):
    bases = [one for one in (ProjectView, *ProjectView.__subclasses__()) if one.__subclasses__()]
    unseen = {inspect.getdoc(base) for base in bases if not any(hasattr(base, method) for method in METHODS)}
    assert len(unseen) > 1
    assert not unseen & {operation["description"] for operation in operations.values()}


def test_lists_say_how_they_are_paged(operations):
    paged = {name for name, one in operations.items() if one["operationId"].endswith("_list")}
    assert len(paged) > 10
    unsaid = {name for name in paged if not {"limit", "after"} <= parameters(operations[name])}
    assert unsaid == {"get /api/v1/projects/{project_id}/exports/formats/"}, "which are a few"


def test_the_list_of_images_says_every_filter(operations):
    told = parameters(operations["get /api/v1/projects/{project_id}/images/"])
    assert told == {*image_filters.NAMES, "ordering", "limit", "after"}
