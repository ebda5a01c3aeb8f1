"""The vocabulary and the members, changed by page: every form ends in a service."""

import pytest
from knox.models import AuthToken

from annotations import review_keys
from annotations.models import Membership, Tag
from annotations.services import live_model
from annotations.services import tags as tag_services
from tests.factories import make_images, make_tags, review_next


def text_of(answer):
    return " ".join(answer.content.decode().split())


class TestTags:
    def test_a_pasted_list_makes_tags_with_aliases(self, cast, browser_of, here):
        answer = browser_of(cast.manager).post(here + "tags/", {"words": "dog: puppy, hound\n\n  red cat \n"})
        assert answer.status_code == 302
        made = {tag.name: [alias.name for alias in tag.aliases.all()] for tag in Tag.objects.all()}
        assert made == {"dog": ["puppy", "hound"], "red cat": []}

    def test_of_many_new_tags_their_number_is_told(self, cast, browser_of, here):
        words = "\n".join(f"tag {number}" for number in range(8))
        page = text_of(browser_of(cast.manager).post(here + "tags/", {"words": words}, follow=True))
        assert "Added 8 tags: tag 0, tag 1, tag 2, tag 3, tag 4 and 3 more." in page

    def test_a_taken_word_is_named_and_nothing_is_lost(self, cast, browser_of, here):
        make_tags(cast.project, "dog")
        answer = browser_of(cast.manager).post(here + "tags/", {"words": "cat\nDOG"})
        assert answer.status_code == 400
        assert "The tag “dog” exists already." in text_of(answer)
        assert "cat\nDOG" in answer.content.decode().replace("\r\n", "\n")
        assert Tag.objects.count() == 1

    def test_an_annotator_reads_but_does_not_write(self, cast, browser_of, here):
        make_tags(cast.project, "dog")
        page = text_of(browser_of(cast.annotator).get(here + "tags/"))
        assert "dog" in page and "Add tags" not in page and "Edit" not in page
        assert browser_of(cast.annotator).post(here + "tags/", {"words": "cat"}).status_code == 403

    def test_the_table_counts_answers_and_says_what_is_missing(self, cast, browser_of, here):
        ids = make_tags(cast.project, "dog", "cat")
        make_images(cast.project, 2)
        review_next(cast, cast.annotator, yes=("dog",), rejected=("cat",))
        learnt = {
            str(ids["dog"]): {"f1": 0.853, "threshold": 0.46, "support": 30, "needed": 10},
            str(ids["cat"]): {"f1": None, "threshold": 0.5, "support": 6, "needed": 10},
        }
        live_model.publish(
            cast.project.pk, version_id=1, number=1, provisional=False, metrics={}, tags=learnt
        )
        page = text_of(browser_of(cast.annotator).get(here + "tags/"))
        assert "<strong>.85</strong>" in page and ".46" in page
        assert "6 of 10 yes needed" in page
        dog, cat = page[page.index(">dog<") :].split("</tr>")[:2]
        assert '<td class="end">1</td> <td class="end wide-only">0</td>' in dog
        assert '<td class="end">0</td> <td class="end wide-only">1</td>' in cat

    def test_a_tags_page_says_what_the_model_has_of_it(self, cast, browser_of, here):
        ids = make_tags(cast.project, "dog", "cat", "hat")
        make_images(cast.project, 1)
        review_next(cast, cast.annotator, yes=("hat",))

        def told(name):
            page = text_of(browser_of(cast.manager).get(f"{here}tags/{ids[name]}/"))
            return page[page.index("What the model makes of it") :]

        assert "1 of 10 yes needed" in told("hat"), "before the first version"
        learnt = {
            str(ids["dog"]): {"f1": 0.853, "threshold": 0.46, "support": 30, "needed": 10},
            str(ids["cat"]): {"f1": 0.2, "threshold": 0.5, "support": 6, "needed": 10},
        }
        live_model.publish(
            cast.project.pk, version_id=1, number=1, provisional=False, metrics={}, tags=learnt
        )
        assert "F1 <strong>.85</strong>, learnt from 30 yes." in told("dog")
        assert "6 of 10 yes needed" in told("cat") and "F1 <strong>" not in told("cat")

    @pytest.mark.parametrize("key", sorted(review_keys.RESERVED - {" ", "Enter", "Backspace", "ArrowRight"}))
    def test_no_command_of_the_review_page_becomes_a_hotkey(self, cast, browser_of, here, key):
        tag_id = make_tags(cast.project, "dog")["dog"]
        answer = browser_of(cast.manager).post(f"{here}tags/{tag_id}/", {"name": "dog", "hotkey": key})
        assert answer.status_code == 400
        assert Tag.objects.get(pk=tag_id).hotkey is None

    def test_a_tag_is_edited(self, cast, browser_of, here):
        tag_id = make_tags(cast.project, "dog")["dog"]
        sent = {"name": "hound", "aliases": "dog, puppy", "description": "Barks.", "hotkey": "d"}
        assert browser_of(cast.manager).post(f"{here}tags/{tag_id}/", sent).status_code == 302
        tag = Tag.objects.get(pk=tag_id)
        assert (tag.name, tag.description, tag.hotkey) == ("hound", "Barks.", "d")
        assert [alias.name for alias in tag.aliases.order_by("pk")] == ["dog", "puppy"]

    def test_a_key_of_the_review_page_is_refused_at_its_field(self, cast, browser_of, here):
        tag_id = make_tags(cast.project, "dog")["dog"]
        answer = browser_of(cast.manager).post(f"{here}tags/{tag_id}/", {"name": "dog", "hotkey": "z"})
        assert answer.status_code == 400 and "cannot be a tag&#x27;s hotkey" in text_of(answer)

    def test_retired_and_revived(self, cast, browser_of, here):
        tag_id = make_tags(cast.project, "dog")["dog"]
        client = browser_of(cast.manager)
        assert client.post(f"{here}tags/{tag_id}/retire/")["Location"] == here + "tags/"
        assert Tag.objects.get(pk=tag_id).retired_at is not None
        assert ">dog<" not in text_of(client.get(here + "tags/"))
        assert "Revive" in text_of(client.get(here + "tags/?retired=1"))
        assert client.post(f"{here}tags/{tag_id}/revive/").status_code == 302
        assert Tag.objects.get(pk=tag_id).retired_at is None

    def test_a_second_retirement_is_a_message_not_a_crash(self, cast, browser_of, here):
        tag_id = make_tags(cast.project, "dog")["dog"]
        tag_services.retire(Tag.objects.get(pk=tag_id), actor=cast.manager)
        answer = browser_of(cast.manager).post(f"{here}tags/{tag_id}/retire/", follow=True)
        assert answer.status_code == 200 and "is retired already" in text_of(answer)

    def test_a_tag_of_another_project_is_not_found(self, cast, browser_of, here):
        from annotations.models import Project

        elsewhere = make_tags(Project.objects.get(name="Elsewhere"), "dog")["dog"]
        assert browser_of(cast.admin).get(f"{here}tags/{elsewhere}/").status_code == 404

    def test_finding_by_alias(self, cast, browser_of, here):
        browser_of(cast.manager).post(here + "tags/", {"words": "dog: puppy\ncat"})
        page = text_of(browser_of(cast.annotator).get(here + "tags/?q=PUP"))
        assert ">dog<" in page and ">cat<" not in page


class TestPeople:
    def test_somebody_joins(self, cast, browser_of, here):
        answer = browser_of(cast.manager).post(here + "people/", {"username": "outsider", "role": "reviewer"})
        assert answer.status_code == 302
        assert Membership.objects.get(project=cast.project, user=cast.outsider).role == "reviewer"

    def test_an_unknown_name_is_said_at_the_field(self, cast, browser_of, here):
        answer = browser_of(cast.manager).post(here + "people/", {"username": "nobody", "role": "reviewer"})
        assert answer.status_code == 400 and "Nobody signs in as “nobody”" in text_of(answer)

    def test_a_manager_appoints_no_admin(self, cast, browser_of, here):
        browser_of(cast.manager).post(here + "people/second/", {"role": "admin"})
        assert Membership.objects.get(project=cast.project, user=cast.second).role == "annotator"

    def test_the_last_admin_stays(self, cast, browser_of, here):
        answer = browser_of(cast.admin).post(here + "people/admin/", {"remove": "1"}, follow=True)
        assert "appoint another one first" in text_of(answer)
        assert Membership.objects.filter(project=cast.project, user=cast.admin).exists()

    def test_somebody_leaves(self, cast, browser_of, here):
        browser_of(cast.manager).post(here + "people/second/", {"remove": "1"})
        assert not Membership.objects.filter(project=cast.project, user=cast.second).exists()
        assert browser_of(cast.second).get(here).status_code == 404


class TestTokens:
    def test_a_token_is_shown_once_and_works(self, cast, browser_of, client):
        browser = browser_of(cast.annotator)
        page = browser.post("/tokens/", {"days": "30"}).content.decode()
        key = page.split('<input class="input mono" type="text" value="')[1].split('"')[0]
        header = {"Authorization": f"Token {key}"}
        assert client.get(f"/api/v1/projects/{cast.project.pk}/", headers=header).status_code == 200
        assert key not in browser.get("/tokens/").content.decode()

    def test_the_time_that_the_installation_sets_is_offered_and_chosen(self, cast, browser_of, settings):
        settings.TOKEN_DAYS = 14
        page = browser_of(cast.annotator).get("/tokens/").content.decode()
        assert '<option value="14" selected>14 days</option>' in page

    def test_revoking_ends_it(self, cast, browser_of):
        browser = browser_of(cast.annotator)
        browser.post("/tokens/", {"days": "0"})
        browser.post(f"/tokens/{AuthToken.objects.get().token_key}/revoke/")
        assert not AuthToken.objects.exists()

    def test_nobody_revokes_somebody_elses(self, cast, browser_of):
        browser_of(cast.annotator).post("/tokens/", {"days": "0"})
        answer = browser_of(cast.second).post(f"/tokens/{AuthToken.objects.get().token_key}/revoke/")
        assert answer.status_code == 404 and AuthToken.objects.exists()
