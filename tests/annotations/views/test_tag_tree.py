"""Tags below tags on the pages: tree, the parent's field and its errors, path, and what retiring a parent says."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Tag
from annotations.services import tags
from annotations.types import TagSpec
from tests.factories import make_tags


def text_of(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def ids(cast):
    """animal › (cat, mammal › dog), and a boat on its own, made in an order that is not the tree's."""
    specs = [
        TagSpec("boat"),
        TagSpec("animal", aliases=["beast"]),
        TagSpec("mammal", parent="animal"),
        TagSpec("dog", parent="mammal", aliases=["hound"]),
        TagSpec("cat", parent="animal"),
    ]
    return {tag.name: tag.pk for tag in tags.create_many(cast.project, specs, actor=None)}


@pytest.fixture
def lines(cast, browser_of, here):
    """The lines of the table as (depth, rails, name, what it says of the parent)."""

    def read(query):
        html = text_of(browser_of(cast.manager).get(f"{here}tags/{query}"))
        found = []
        for row in html[html.index("<tbody>") : html.index("</tbody>")].split("</tr>")[:-1]:
            depth = re.search(r'<tr data-depth="(\d)"', row)
            rails = re.findall(r'<i(?: data-rail="(\w+)")?></i>', row)
            name = re.search(r'<a class="plain" href="[^"]*/tags/\d+/"[^>]*>(.*?)</a>', row).group(1)
            above = re.search(r'<span class="above">(.*?)</span>', row)
            said = re.sub("<.*?>", "", above.group(1)) if above else ""
            found.append((int(depth.group(1)) if depth else 0, rails, name, said))
        return found

    return read


def test_children_stand_below_their_parent_in_an_order_that_siblings_keep(ids, lines):
    assert lines("?tree=1") == [
        (0, [], "animal", ""),
        (1, ["fork"], "cat", ""),
        (1, ["end"], "mammal", ""),
        (2, ["", "end"], "dog", ""),
        (0, [], "boat", ""),
    ]
    oldest = lines("?tree=1&order=oldest")
    assert [name for _, _, name, _ in oldest] == ["boat", "animal", "mammal", "dog", "cat"]
    assert oldest[3] == (2, ["pass", "end"], "dog", "")


def test_a_line_whose_parent_is_filtered_out_names_it(cast, ids, lines):
    assert lines("?tree=1&q=hound") == [(0, [], "dog", "below mammal")]
    assert lines("?tree=1&q=m")[:2] == [(0, [], "animal", ""), (1, ["end"], "mammal", "")]
    tags.retire(Tag.objects.get(pk=ids["animal"]), actor=cast.manager)
    assert (0, [], "cat", "below animal, retired") in lines("?tree=1")


def test_the_flat_table_names_every_parent(ids, lines):
    assert (0, [], "dog", "below mammal") in lines("")


def test_what_stands_too_deep_to_be_drawn_names_its_parent(cast, lines):
    specs = [TagSpec("t0"), *(TagSpec(f"t{step}", parent=f"t{step - 1}") for step in range(1, 9))]
    tags.create_many(cast.project, specs, actor=None)
    shown = lines("?tree=1")
    assert [depth for depth, *_ in shown] == [0, 1, 2, 3, 4, 5, 6, 6, 6]
    assert [said for *_, said in shown] == [""] * 7 + ["below t6", "below t7"]


def test_a_screen_reader_hears_the_parent_of_each_line(cast, ids, browser_of, here):
    page = text_of(browser_of(cast.annotator).get(f"{here}tags/?tree=1"))
    assert '<span class="visually-hidden">below <bdi>mammal</bdi></span>' in page


def test_new_tags_go_below_a_parent_by_its_alias(cast, ids, browser_of, here):
    answer = browser_of(cast.manager).post(f"{here}tags/", {"words": "bird\nfish", "parent": "Beast"})
    assert answer.status_code == 302
    made = Tag.objects.filter(name__in=["bird", "fish"])
    assert [tag.parent_id for tag in made] == [ids["animal"]] * 2


def test_the_page_of_a_tag_offers_to_add_below_it(cast, ids, browser_of, here):
    page = text_of(browser_of(cast.manager).get(f"{here}tags/?below={ids['animal']}"))
    assert re.search(r'name="parent" value="animal"', page)
    assert browser_of(cast.manager).get(f"{here}tags/?below=x").status_code == 200


def test_errors_stand_at_the_parents_field_and_nothing_is_lost(cast, ids, browser_of, here):
    client = browser_of(cast.manager)
    answer = client.post(f"{here}tags/", {"words": "bird", "parent": "anmal"})
    page = text_of(answer)
    assert answer.status_code == 400 and 'value="anmal"' in page and "bird</textarea>" in page
    assert re.search(r'id="id_parent_error"><p class="error">.*?Did you mean “animal”\?', page)
    looped = client.post(f"{here}tags/{ids['animal']}/", {"name": "animal", "parent": "dog"})
    assert looped.status_code == 400
    assert re.search(
        r'id="id_parent_error"><p class="error">.*?itself stands below “animal”', text_of(looped)
    )


def test_a_page_without_the_field_leaves_the_parent_alone_and_an_empty_one_takes_it_away(
    cast, ids, browser_of, here
):
    client = browser_of(cast.manager)
    client.post(f"{here}tags/{ids['dog']}/", {"name": "dog"})
    assert Tag.objects.get(pk=ids["dog"]).parent_id == ids["mammal"]
    client.post(f"{here}tags/{ids['dog']}/", {"name": "dog", "parent": ""})
    assert Tag.objects.get(pk=ids["dog"]).parent_id is None


def test_a_tags_page_shows_its_path_and_what_stands_below_it(cast, ids, browser_of, here):
    client = browser_of(cast.manager)
    page = text_of(client.get(f"{here}tags/{ids['dog']}/"))
    path = page[page.index('class="path"') : page.index("<h1>dog</h1>")]
    assert re.findall("<bdi>(.*?)</bdi>", path) == ["animal", "mammal"]
    assert re.search('name="parent" value="mammal"', page)
    below = text_of(client.get(f"{here}tags/{ids['animal']}/"))
    below = below[below.index("Tags below it") :]
    assert re.findall('<a class="tag" href="[^"]*"><bdi>(.*?)</bdi>', below) == ["cat", "mammal"]


def test_retiring_a_parent_says_that_its_children_stay(cast, ids, browser_of, here):
    page = text_of(browser_of(cast.manager).get(f"{here}tags/{ids['animal']}/retire/"))
    assert "2 tags stand below it: <bdi>cat</bdi>, <bdi>mammal</bdi>." in page
    assert "They stay in use with all answers" in page
    assert "below it" not in text_of(browser_of(cast.manager).get(f"{here}tags/{ids['boat']}/retire/"))


def test_the_guide_shows_the_path(cast, ids, browser_of, here):
    for query in ("?part=1", f"?part=1&tags={ids['dog']}", "?q=hound"):
        page = text_of(browser_of(cast.annotator).get(f"{here}guide/{query}"))
        path = page[: page.index("<h3><bdi>dog</bdi></h3>")].rsplit('class="path"')[-1]
        assert re.findall("<bdi>(.*?)</bdi>", path) == ["animal", "mammal"]


@pytest.mark.parametrize("page", ["tags/?tree=1", "tags/", "guide/?part=1", "tags/TAG/", "tags/TAG/retire/"])
def test_a_larger_tree_costs_no_more_queries(cast, ids, browser_of, here, page):
    client = browser_of(cast.manager)
    address = here + page.replace("TAG", str(ids["animal"]))

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    few = queries()
    for number in range(6):
        below = "animal" if number % 2 else f"more {number - 1}" if number else "dog"
        tags.create_many(cast.project, [TagSpec(f"more {number}", parent=below)], actor=None)
    make_tags(cast.project, "more 6", "more 7")
    assert queries() == few
