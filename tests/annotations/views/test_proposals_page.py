"""The tab of proposed tags, as plain HTML and as the part that htmx asks for."""

import pytest

from annotations.models import CaptionProgress, Proposal, Tag, TagAlias
from annotations.services import proposals
from annotations.types import ProposalSpec
from tests.factories import make_images, make_tags


def text_of(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def page(here):
    return here + "tags/proposed/"


@pytest.fixture
def proposed(cast):
    dog = make_tags(cast.project, "dog")["dog"]
    image = make_images(cast.project, 1, caption="A hound & a <kite> in the surf")[0]

    def spec(kind, text, tag_id=None, captions=1200, **figures):
        start = image.caption.index(text)
        place = {"image": image.pk, "start": start, "end": start + len(text), "text": text}
        return ProposalSpec(kind, text, tag_id, captions, {**figures, "examples": [place]})

    figures = {"rule": "answers", "precision": 0.9, "lower": 0.6, "support": 20}
    specs = [
        spec("tag", "surf", rule="phrase", lift=None),
        spec("alias", "hound", dog, **figures),
        spec("tag", "kite", rule="phrase", lift=12.3),
    ]
    proposals.replace_open(cast.project.pk, specs)
    return {row.text: row.pk for row in Proposal.objects.all()}


class TestShown:
    def test_each_row_says_what_speaks_for_it(self, cast, browser_of, page, proposed):
        shown = text_of(browser_of(cast.manager).get(page))
        assert "<strong>surf</strong>" in shown and "1,200 captions" in shown
        assert "A hound &amp; a &lt;kite&gt; in the <mark>surf</mark>" in shown
        assert "people said yes" in shown and "90 %" in shown and "another word for" in shown
        assert "its words meet" in shown and 'loading="lazy"' in shown

    def test_the_tab_counts_and_only_managers_see_it(self, cast, browser_of, here, page, proposed):
        shown = text_of(browser_of(cast.manager).get(here + "tags/"))
        assert "Proposed <span" in shown and ">3</span>" in shown and "Found in captions" in shown
        for person in (cast.annotator, cast.reviewer):
            assert "Proposed" not in text_of(browser_of(person).get(here + "tags/"))
            assert browser_of(person).get(page).status_code == 403
            assert browser_of(person).post(page, {"adopt": proposed["surf"]}).status_code == 403
        assert browser_of(cast.outsider).get(page).status_code == 404

    def test_one_kind_at_a_time(self, cast, browser_of, page, proposed):
        shown = text_of(browser_of(cast.manager).get(page + "?kind=alias"))
        assert "hound" in shown and "<strong>surf</strong>" not in shown
        assert "<strong>surf</strong>" in text_of(browser_of(cast.manager).get(page + "?kind=no"))

    def test_pages_follow_one_another(self, cast, browser_of, page, monkeypatch, proposed):
        from annotations.views import tags_proposed

        monkeypatch.setattr(tags_proposed, "PAGE_SIZE", 2)
        client = browser_of(cast.manager)
        first = text_of(client.get(page))
        assert "<strong>kite</strong>" not in first and "More proposals" in first
        address = first.split(f'href="{page}?after=')[1].split('"')[0]
        second = text_of(client.get(f"{page}?after={address}"))
        assert "<strong>kite</strong>" in second and "<strong>surf</strong>" not in second
        answer = client.post(f"{page}?after={address}", {"dismiss": proposed["kite"]})
        assert f"after={address}" in answer["Location"]
        assert "Nothing more here" in text_of(client.get(answer["Location"]))

    def test_queries_do_not_grow_with_the_list(self, cast, browser_of, page, django_assert_max_num_queries):
        image = make_images(cast.project, 1, caption="word")[0]
        place = {"image": image.pk, "start": 0, "end": 4, "text": "word"}
        client = browser_of(cast.manager)
        client.get(page)
        used = []
        for count in (2, 20):
            specs = [
                ProposalSpec("tag", f"word {n}", None, 3, {"rule": "phrase", "examples": [place]})
                for n in range(count)
            ]
            proposals.replace_open(cast.project.pk, specs)
            with django_assert_max_num_queries(30) as queries:
                assert text_of(client.get(page)).count("data-row=") == count
            used.append(len(queries))
        assert used[0] == used[1]


class TestNothingThere:
    def test_without_captions_it_says_where_they_come_from(self, cast, browser_of, page):
        assert "No captions to learn words from" in text_of(browser_of(cast.manager).get(page))

    def test_before_a_worker_has_read_them(self, cast, browser_of, page):
        make_images(cast.project, 1, caption="A kite")
        assert "Captions wait to be read" in text_of(browser_of(cast.manager).get(page))

    def test_while_they_are_read_there_is_a_bar(self, cast, browser_of, page):
        make_images(cast.project, 1, caption="A kite", holdout=False)
        proposals.report_reading(cast.project.pk, read=300, total=1200, is_reading=True)
        client = browser_of(cast.manager)
        shown = text_of(client.get(page))
        assert "<b>300</b> of 1,200 captions read" in shown and "Captions are being read" in shown
        part = client.get(page + "?reading=1", headers={"hx-request": "true"})
        assert "300" in text_of(part) and "HX-Trigger" not in part.headers

    def test_the_list_is_fetched_again_when_all_are_read(self, cast, browser_of, page):
        proposals.report_reading(cast.project.pk, read=1200, total=1200, is_reading=False)
        part = browser_of(cast.manager).get(page + "?reading=1", headers={"hx-request": "true"})
        assert part.headers["HX-Trigger"] == "proposals-made" and text_of(part) == ""

    def test_when_everything_is_decided(self, cast, browser_of, page):
        make_images(cast.project, 1, caption="A kite")
        proposals.report_reading(cast.project.pk, read=1, total=1, is_reading=False)
        assert CaptionProgress.objects.get().finished_at is not None
        assert "Nothing to decide" in text_of(browser_of(cast.manager).get(page))


class TestDecided:
    def test_adopted_with_a_way_back(self, cast, browser_of, page, proposed):
        client = browser_of(cast.manager)
        answer = client.post(page, {"adopt": proposed["surf"]})
        assert answer.status_code == 302 and Tag.objects.filter(name="surf").exists()
        shown = text_of(client.get(answer["Location"]))
        assert "Adopted “surf”." in shown and "Undo" in shown
        client.post(page, {"restore": proposed["surf"]})
        assert Tag.objects.get(name="surf").retired_at is not None

    def test_as_a_synonym_as_its_own_tag_or_away(self, cast, browser_of, page, proposed):
        client = browser_of(cast.manager)
        client.post(page, {"adopt": proposed["hound"]})
        assert TagAlias.objects.get(tag__name="dog").name == "hound"
        client.post(page, {"restore": proposed["hound"]})
        client.post(page, {"own": proposed["hound"]})
        assert Tag.objects.filter(name="hound").exists()
        client.post(page, {"dismiss": proposed["kite"]})
        assert Proposal.objects.get(text="kite").state == "dismissed"

    def test_of_a_tag_that_somebody_chooses(self, cast, browser_of, page, proposed):
        dog = Tag.objects.get(name="dog").pk
        browser_of(cast.manager).post(page, {"alias": proposed["surf"], "tag": dog})
        browser_of(cast.manager).post(page, {"alias": proposed["kite"], "of": "Dog"})
        assert set(TagAlias.objects.values_list("name", "tag")) == {("surf", dog), ("kite", dog)}

    def test_many_at_once_and_back_at_once(self, cast, browser_of, page, proposed):
        client = browser_of(cast.manager)
        sent = {"bulk": "adopt", "picked": [proposed["surf"], proposed["kite"]]}
        answer = client.post(page, sent)
        assert set(Tag.objects.values_list("name", flat=True)) == {"dog", "surf", "kite"}
        assert "Adopted 2 proposals." in text_of(client.get(answer["Location"]))
        answer = client.post(page, {"restore": f"{proposed['surf']},{proposed['kite']}"})
        assert "2 proposals are open again." in text_of(client.get(answer["Location"]))
        assert Proposal.objects.filter(state="open").count() == 3

    def test_what_cannot_be_done_is_said_and_the_rest_is_done(self, cast, browser_of, page, proposed):
        make_tags(cast.project, "surf")
        sent = {"bulk": "adopt", "picked": [proposed["surf"], proposed["kite"]]}
        shown = text_of(browser_of(cast.manager).post(page, sent, follow=True))
        assert "The tag “surf” exists already." in shown and "Adopted “kite”." in shown

    @pytest.mark.parametrize("sent", [{}, {"bulk": "burn"}, {"alias": "1", "of": "nothing"}])
    def test_a_post_that_says_nothing_is_a_message(self, cast, browser_of, page, proposed, sent):
        answer = browser_of(cast.manager).post(page, sent, follow=True)
        assert answer.status_code == 200 and 'data-tone="stop"' in text_of(answer)
        assert Proposal.objects.filter(state="open").count() == 3

    def test_htmx_gets_the_new_list_in_one_answer(self, cast, browser_of, page, proposed):
        answer = browser_of(cast.manager).post(
            page, {"dismiss": proposed["surf"]}, headers={"hx-request": "true"}
        )
        shown = text_of(answer)
        assert answer.status_code == 200 and shown.startswith("<div") and "Dismissed “surf”." in shown
        assert "<strong>surf</strong>" not in shown and "<strong>kite</strong>" in shown


class TestOneProposal:
    def test_under_another_name_or_for_any_tag(self, cast, browser_of, page, proposed):
        client = browser_of(cast.manager)
        assert "A tag of its own" in text_of(client.get(f"{page}{proposed['surf']}/"))
        client.post(f"{page}{proposed['surf']}/", {"name": "sea foam"})
        client.post(f"{page}{proposed['kite']}/", {"of": "dog"})
        assert Tag.objects.filter(name="sea foam").exists()
        assert TagAlias.objects.get(tag__name="dog").name == "kite"
        assert "Take it back" in text_of(client.get(f"{page}{proposed['surf']}/"))

    def test_a_refusal_is_said(self, cast, browser_of, page, proposed):
        answer = browser_of(cast.manager).post(f"{page}{proposed['surf']}/", {"of": "nothing"}, follow=True)
        assert "No active tag of this project is called “nothing”" in text_of(answer)

    def test_of_another_project_it_is_not_found(self, cast, browser_of, proposed):
        elsewhere = type(cast.project).objects.get(name="Elsewhere").pk
        address = f"/projects/{elsewhere}/tags/proposed/{proposed['surf']}/"
        assert browser_of(cast.admin).get(address).status_code == 404
