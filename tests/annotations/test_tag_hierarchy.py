"""Which tag stands below which: what may be a parent, what a refusal says, and the way up from a tag."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.errors import DomainError
from annotations.models import Tag
from annotations.selectors import hierarchy
from annotations.services import tags
from annotations.types import TagSpec
from tests.factories import make_tags


@pytest.fixture
def animals(cast):
    """animal › mammal › dog, each an ordinary tag; “beast” is another word for animal."""
    specs = [
        TagSpec("animal", aliases=["beast"]),
        TagSpec("mammal", parent="animal"),
        TagSpec("dog", parent="MAMMAL"),
    ]
    return {tag.name: tag for tag in tags.create_many(cast.project, specs, actor=None)}


def names_above(cast, tag):
    return [above.name for above in hierarchy.paths(cast.project, [tag.pk])[tag.pk]]


def put(cast, tag, parent):
    return tags.update(Tag.objects.get(pk=tag.pk), {"parent": parent}, actor=cast.manager)


def refused(cast, tag, parent):
    with pytest.raises(DomainError) as caught:
        put(cast, tag, parent)
    assert Tag.objects.get(pk=tag.pk).parent_id == tag.parent_id
    return caught.value


def test_the_way_up_begins_at_the_top(cast, animals):
    assert names_above(cast, animals["dog"]) == ["animal", "mammal"]
    assert names_above(cast, animals["animal"]) == []


def test_a_parent_goes_by_name_alias_or_id_and_can_be_taken_away(cast, animals):
    cat = Tag.objects.get(pk=make_tags(cast.project, "cat")["cat"])
    for word in ("Beast", animals["animal"].pk, " animal "):
        assert put(cast, cat, word).parent_id == animals["animal"].pk
        assert put(cast, cat, None).parent_id is None
    put(cast, cat, "beast")
    assert put(cast, cat, "").parent_id is None


def test_an_unknown_parent_names_the_tag_that_may_be_meant(cast, animals):
    error = refused(cast, animals["dog"], "anmal")
    assert (error.code, error.status) == ("unknown_tag", 404)
    assert "Did you mean “animal”?" in error.message
    assert refused(cast, animals["dog"], "xyz").message.endswith(
        "Add it as a tag first, or leave the parent empty."
    )
    assert refused(cast, animals["dog"], 10**9).code == "unknown_tag"


def test_a_tag_of_another_project_is_no_parent(cast, animals):
    from annotations.models import Project

    elsewhere = make_tags(Project.objects.get(name="Elsewhere"), "thing")["thing"]
    assert refused(cast, animals["dog"], elsewhere).code == "unknown_tag"


def test_nothing_stands_below_itself_or_its_own_branch(cast, animals):
    assert refused(cast, animals["animal"], "beast").code == "parent_loop"
    error = refused(cast, animals["animal"], "dog")
    assert error.code == "parent_loop"
    assert "“dog” itself stands below “animal”: give it another parent first" in error.message


def test_a_retired_tag_is_not_chosen_but_stays_where_it_is_the_parent(cast, animals):
    tags.retire(animals["mammal"], actor=cast.manager)
    cat = Tag.objects.get(pk=make_tags(cast.project, "cat")["cat"])
    error = refused(cast, cat, "mammal")
    assert error.code == "parent_retired" and "revive it first" in error.message
    assert put(cast, animals["dog"], "mammal").parent_id == animals["mammal"].pk
    with pytest.raises(DomainError, match="revive it first"):
        tags.create_many(cast.project, [TagSpec("bat", parent="mammal")], actor=None)
    assert [
        above.is_retired for above in hierarchy.paths(cast.project, [animals["dog"].pk])[animals["dog"].pk]
    ] == [
        False,
        True,
    ]


def test_a_retired_parent_keeps_its_children_in_use(cast, animals):
    tags.retire(animals["animal"], actor=cast.manager)
    mammal = Tag.objects.get(pk=animals["mammal"].pk)
    assert mammal.retired_at is None and mammal.parent_id == animals["animal"].pk


def test_paths_cost_one_query_and_end_where_a_loop_came_in_by_another_door(cast, animals):
    with CaptureQueriesContext(connection) as captured:
        hierarchy.paths(cast.project, [tag.pk for tag in animals.values()])
    assert len(captured) == 1
    Tag.objects.filter(pk=animals["animal"].pk).update(parent=animals["dog"])
    assert set(names_above(cast, animals["dog"])) == {"animal", "mammal", "dog"}


@pytest.mark.parametrize(
    ("parent", "status", "code"),
    [("nothing-like-it", 404, "unknown_tag"), ("dog", 400, "parent_loop"), ("old", 400, "parent_retired")],
)
def test_the_api_says_the_same(cast, animals, client_of, parent, status, code):
    old = Tag.objects.get(pk=make_tags(cast.project, "old")["old"])
    tags.retire(old, actor=cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/tags/{animals['animal'].pk}/"
    answer = client_of(cast.manager).patch(address, {"parent": parent}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    kept = client_of(cast.manager).patch(address, {"parent": None, "description": "Moves."}, format="json")
    assert kept.status_code == 200 and kept.json()["parent"] is None
