"""The page of flags, and the flags on an image's own page: forms that need no script."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Flag
from annotations.services import flags
from tests.factories import Cast, make_images


def raised(cast: Cast, count: int = 1, by: str = "annotator") -> list[Flag]:
    image = cast.project.images.first() or make_images(cast.project, 1)[0]
    return [
        flags.raise_flag(cast.project, image.pk, comment=f"Remark {number}", actor=getattr(cast, by))
        for number in range(count)
    ]


def shown(html: str) -> list[str]:
    return re.findall(r"Remark \d+", html)


def test_open_and_resolved_flags_have_a_tab_each(cast, browser_of, here):
    _, resolved = raised(cast, 2)
    flags.resolve(resolved, actor=cast.reviewer)
    client = browser_of(cast.reviewer)
    assert shown(client.get(here + "flags/").content.decode()) == ["Remark 0"]
    page = client.get(here + "flags/?state=resolved").content.decode()
    assert shown(page) == ["Remark 1"]
    assert "resolved by reviewer" in page


def test_a_flag_is_resolved_and_taken_back_without_script(cast, browser_of, here):
    (flag,) = raised(cast)
    client = browser_of(cast.reviewer)
    page = client.post(here + "flags/", {"resolve": flag.pk}, follow=True).content.decode()
    assert "Resolved." in page
    assert "No open flags" in page
    assert f'name="reopen" value="{flag.pk}"' in page
    page = client.post(here + "flags/", {"reopen": flag.pk}, follow=True).content.decode()
    assert shown(page) == ["Remark 0"]
    flag.refresh_from_db()
    assert flag.resolved_at is None


def test_who_was_slower_is_told_so(cast, browser_of, here):
    (flag,) = raised(cast)
    flags.resolve(flag, actor=cast.manager)
    page = browser_of(cast.reviewer).post(here + "flags/", {"resolve": flag.pk}, follow=True)
    assert "manager has resolved this flag already" in page.content.decode()


def test_htmx_gets_the_list_alone(cast, browser_of, here):
    (flag,) = raised(cast)
    answer = browser_of(cast.reviewer).post(
        here + "flags/", {"answer": flag.pk, "text": "Seen."}, headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert "<html" not in page
    assert "Seen." in page


def test_an_annotator_sees_and_answers_their_own_and_resolves_nothing(cast, browser_of, here):
    (mine,) = raised(cast)
    raised(cast, by="second")
    client = browser_of(cast.annotator)
    page = client.get(here + "flags/").content.decode()
    assert len(shown(page)) == 1
    assert 'name="resolve"' not in page
    assert client.post(here + "flags/", {"resolve": mine.pk}).status_code == 403
    page = client.post(here + "flags/", {"answer": mine.pk, "text": "More."}, follow=True).content.decode()
    assert "More." in page


def test_the_navigation_tells_how_many_are_open(cast, browser_of, here):
    raised(cast, 2)
    raised(cast, by="second")

    def told(who: str) -> list[str]:
        page = browser_of(getattr(cast, who)).get(here + "tags/").content.decode()
        return re.findall(r'href="[^"]*/flags/".*?<span class="count">(\d+)<', page)

    assert told("annotator") == ["2"]
    assert told("reviewer") == ["3"]


def test_an_image_shows_its_flags_and_takes_another(cast, browser_of, here):
    (flag,) = raised(cast)
    client = browser_of(cast.reviewer)
    image_page = f"{here}gallery/{flag.image_id}/"
    assert shown(client.get(image_page).content.decode()) == ["Remark 0"]
    sent = {"raise": flag.image_id, "on_image": flag.image_id, "text": "Remark 7"}
    answer = client.post(here + "flags/", sent)
    assert answer["Location"] == f"{image_page}#flags"
    assert shown(client.get(image_page).content.decode()) == ["Remark 7", "Remark 0"]


def test_the_plain_form_of_review_flags_too_and_shows_the_same_image_again(cast, browser_of, here):
    make_images(cast.project, 3)
    client = browser_of(cast.annotator)
    page = client.get(here + "review/?plain=1").content.decode()
    image = re.search(r'name="raise" value="(\d+)"', page).group(1)
    sent = {"raise": image, "on_review": "1", "text": "Too dark."}
    page = client.post(here + "flags/", sent, follow=True).content.decode()
    assert "Flagged. A reviewer will look at it." in page
    assert f'name="raise" value="{image}"' in page
    assert Flag.objects.get().image_id == int(image)


@pytest.mark.parametrize("sent", [{}, {"resolve": "x"}, {"answer": "9" * 30}, {"raise": "1"}])
def test_a_form_that_makes_no_sense_is_a_message(cast, browser_of, here, sent):
    assert browser_of(cast.reviewer).post(here + "flags/", sent).status_code in (302, 404)
    assert not Flag.objects.exists()


def test_nobody_has_flagged_anything(cast, browser_of, here):
    assert "You have flagged nothing" in browser_of(cast.annotator).get(here + "flags/").content.decode()
    assert "Nothing is flagged" in browser_of(cast.reviewer).get(here + "flags/").content.decode()


def test_the_page_costs_the_same_for_two_and_for_twenty(cast, browser_of, here):
    client = browser_of(cast.reviewer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + "flags/").status_code == 200
        return len(captured)

    raised(cast, 2)
    few = queries()
    raised(cast, 18)
    assert queries() == few
