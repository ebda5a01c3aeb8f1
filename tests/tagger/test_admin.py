"""The back door: installation admins only, by the app's own sign-in; read-only; the same price for large tables."""

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.errors import Refused
from annotations.models import (
    BulkJob,
    Decision,
    ExportJob,
    Image,
    ImportJob,
    Invitation,
    Review,
    Snapshot,
    Tag,
    User,
)
from annotations.services import accounts, flags, invitations, live_model, tags, verify
from mlmodels.models import (
    Extractor,
    ModelExport,
    ModelVersion,
    PolicyCheck,
    ProjectExtractor,
    TrainingRun,
)
from tagger import admin_site
from tagger.admin_site import site
from tests.factories import Cast, make_cast, make_images, make_tags, review_next

TABLES = sorted((model for model in site._registry), key=lambda model: model._meta.label)
READ_ONLY = [model for model in TABLES if model is not User]


def id_of(model: type[Model]) -> str:
    return model._meta.label


def address(model: type[Model], rest: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{rest}"


@pytest.fixture
def cast(db) -> Cast:
    return make_cast(holdout_percent=0)


def furnish(cast: Cast, first: int, count: int) -> None:
    """So many rows in every table, each of its own people, tags and images."""
    for number in range(first, first + count):
        user = User.objects.create_user(f"person{number}")
        tag_id = make_tags(cast.project, f"tag {number}")[f"tag {number}"]
        make_images(cast.project, 2, first=2 * number, caption="A dog.")
        review_next(cast, cast.second, yes=(tag_id,))
        newest = Image.objects.latest("pk")
        _store_of_people(cast, number, user, tag_id, newest)
        _store_of_the_model(cast, number, user)


def _store_of_people(cast: Cast, number: int, user: User, tag_id: int, image: Image) -> None:
    tags.update(Tag.objects.get(pk=tag_id), {"description": "A word."}, actor=user)
    verify.answer_tag(cast.project, cast.reviewer, word=tag_id, yes=[image.pk], no=[])
    flags.raise_flag(cast.project, image.pk, comment="See.", actor=user)
    token = invitations.create(cast.membership(cast.manager), role="annotator", note=f"{number}")[1]
    invitations.accept(token, actor=user)
    for model, extra in (
        (ImportJob, {"source": "upload"}),
        (ExportJob, {"format": "csv"}),
        (BulkJob, {}),
        (Snapshot, {"name": "now"}),
    ):
        model.objects.create(project=cast.project, actor=user, **extra)
    live_model.publish(cast.project.pk, version_id=1, number=number, provisional=False, metrics={}, tags={})


def _store_of_the_model(cast: Cast, number: int, user: User) -> None:
    run = TrainingRun.objects.create(project=cast.project, actor=user, state="done")
    extractor = Extractor.objects.create(name=f"net{number}", key=f"net{number}@1", dimensions=8)
    version = ModelVersion.objects.create(
        project=cast.project,
        number=number + 1,
        run=run,
        extractor=extractor,
        artifact="a",
        artifact_sha256="0" * 64,
        verdict="promoted",
        tag_ids=[],
        vocabulary_version=1,
        trained_images=1,
        trained_reviews=1,
        trained_decisions=1,
        fingerprint="0" * 64,
    )
    ModelExport.objects.create(project=cast.project, actor=user, version=version)
    PolicyCheck.objects.create(project=cast.project, outcome="ran", code="quiet", reason="1 waited.", run=run)
    ProjectExtractor.objects.get_or_create(
        project=cast.project, defaults={"name": extractor.name, "asked_at": timezone.now()}
    )


class TestWhoGetsIn:
    @pytest.mark.parametrize("page", ["/admin/", "/admin/annotations/image/"])
    def test_nobody_signs_in_by_the_apps_own_door(self, cast, page):
        answer = Client().get(page, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")

    @pytest.mark.parametrize("who", ["manager", "reviewer", "annotator", "outsider"])
    @pytest.mark.parametrize("page", ["/admin/", "/admin/annotations/image/", "/admin/login/"])
    def test_roles_of_projects_open_nothing_here(self, cast, browser_of, who, page):
        assert browser_of(getattr(cast, who)).get(page, follow=True).status_code == 403

    def test_an_installation_admin_sees_every_table(self, cast, browser_of):
        page = browser_of(cast.admin).get("/admin/").content.decode()
        assert [model for model in TABLES if f'href="{address(model)}"' not in page] == []
        assert "/add/" not in page

    def test_only_our_tables_stand_here(self):
        assert {model._meta.app_label for model in TABLES} == {"annotations", "mlmodels"}

    def test_the_way_in_is_shown_to_admins_only(self, cast, browser_of):
        assert 'href="/admin/"' in browser_of(cast.admin).get("/projects/").content.decode()
        assert 'href="/admin/"' not in browser_of(cast.manager).get("/projects/").content.decode()

    @pytest.mark.parametrize(
        ("page", "leads_to"),
        [("logout", "/accounts/logout/"), ("password_change", "/accounts/password/change/")],
    )
    def test_signing_out_and_passwords_are_the_apps(self, cast, browser_of, page, leads_to):
        assert browser_of(cast.admin).get(f"/admin/{page}/")["Location"] == leads_to


class TestReadOnly:
    @pytest.fixture
    def furnished(self, cast) -> Cast:
        furnish(cast, 0, 1)
        cast.admin.is_superuser = True  # not even the highest right of Django changes it
        cast.admin.save()
        return cast

    @pytest.mark.parametrize("model", READ_ONLY, ids=id_of)
    def test_a_row_can_be_looked_at_and_nothing_more(self, furnished, browser_of, model):
        client = browser_of(furnished.admin)
        row = model._default_manager.latest("pk")
        before = list(model._default_manager.order_by("pk").values())
        page = client.get(address(model, f"{row.pk}/change/"))
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode() and "deletelink" not in page.content.decode()
        assert client.get(address(model, "add/")).status_code == 403
        assert client.post(address(model, "add/"), {}).status_code == 403
        assert client.post(address(model, f"{row.pk}/change/"), {"_save": "1"}).status_code == 403
        assert client.get(address(model, f"{row.pk}/delete/")).status_code == 403
        assert client.post(address(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes", "index": "0"}
        client.post(address(model), chosen)
        assert list(model._default_manager.order_by("pk").values()) == before

    def test_what_is_append_only_is_among_them(self):
        kept = {
            "AuditEvent",
            "Decision",
            "Review",
            "VerifiedPage",
            "Flag",
            "Invitation",
            "Membership",
            "Image",
        }
        assert kept <= {model.__name__ for model in READ_ONLY}

    def test_no_hash_of_a_token_is_shown(self, furnished, browser_of):
        row = Invitation.objects.get()
        page = browser_of(furnished.admin).get(address(Invitation, f"{row.pk}/change/")).content.decode()
        assert row.token_sha256 not in page


class TestLists:
    @pytest.mark.parametrize("model", TABLES, ids=id_of)
    def test_queries_do_not_grow_with_rows(self, cast, browser_of, model):
        client = browser_of(cast.admin)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address(model)).status_code == 200
            return len(captured)

        furnish(cast, 0, 2)
        few = queries()
        furnish(cast, 2, 18)
        assert queries() == few

    @pytest.mark.parametrize("model", TABLES, ids=id_of)
    def test_no_table_is_counted_as_a_whole(self, cast, browser_of, model):
        with CaptureQueriesContext(connection) as captured:
            browser_of(cast.admin).get(address(model))
        counts = [one["sql"] for one in captured if "COUNT(*)" in one["sql"]]
        assert counts and all(f"LIMIT {admin_site.LISTED_MOST}" in sql for sql in counts)

    @pytest.mark.parametrize("model", TABLES, ids=id_of)
    def test_searching_works_and_costs_the_same(self, cast, browser_of, model):
        furnish(cast, 0, 2)
        client = browser_of(cast.admin)
        for word in ("person1", "17", "no such word", "a" * 64, "“ü%_"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address(model), {"q": word}).status_code == 200
            assert len(captured) <= 10

    def test_large_tables_are_searched_by_whole_words(self, cast, browser_of):
        furnish(cast, 0, 3)
        client = browser_of(cast.admin)
        image, decision = Image.objects.latest("pk"), Decision.objects.latest("pk")

        def found(model, word):
            return {row.pk for row in client.get(address(model), {"q": word}).context["cl"].result_list}

        assert (
            found(Image, str(image.pk))
            == found(Image, image.sha256)
            == found(Image, image.name)
            == {image.pk}
        )
        assert decision.pk in found(Decision, str(decision.image_id))
        assert found(Decision, "tag 1") == set(
            Decision.objects.filter(tag__name="tag 1").values_list("pk", flat=True)
        )
        assert found(Review, "second") == set(
            Review.objects.filter(user=cast.second).values_list("pk", flat=True)
        )
        assert found(Tag, "tag 2") == {Tag.objects.get(name="tag 2").pk}

    def test_a_list_that_is_cut_says_so(self, cast, browser_of, monkeypatch):
        furnish(cast, 0, 3)
        client = browser_of(cast.admin)
        assert "The newest" not in client.get(address(Image)).content.decode()
        monkeypatch.setattr(admin_site, "LISTED_MOST", 4)
        assert "The newest 4." in client.get(address(Image)).content.decode()
        assert "3 found" in client.get(address(Tag), {"q": "tag"}).content.decode()

    def test_what_is_large_is_not_fetched_with_a_list(self, cast, browser_of):
        furnish(cast, 0, 1)
        client = browser_of(cast.admin)
        for model, column in (
            (BulkJob, "image_ids"),
            (Image, "caption"),
            (Review, "caption"),
            (Tag, "instructions"),
        ):
            with CaptureQueriesContext(connection) as captured:
                client.get(address(model))
            assert not any(f'"{column}"' in one["sql"] for one in captured), column
        assert (
            "A dog."
            in client.get(address(Image, f"{Image.objects.latest('pk').pk}/change/")).content.decode()
        )


class TestAccounts:
    def change(self, cast, browser_of, user, **sent):
        return browser_of(cast.admin).post(address(User, f"{user.pk}/change/"), sent)

    def test_an_account_is_closed_and_opened(self, cast, browser_of):
        assert self.change(cast, browser_of, cast.second).status_code == 302
        cast.second.refresh_from_db()
        assert not cast.second.is_active
        self.change(cast, browser_of, cast.second, is_active="on")
        cast.second.refresh_from_db()
        assert cast.second.is_active and not cast.second.is_staff

    def test_an_admin_is_made_and_unmade_with_all_of_djangos_rights(self, cast, browser_of):
        for sent, expected in (({"is_active": "on", "is_staff": "on"}, True), ({"is_active": "on"}, False)):
            self.change(cast, browser_of, cast.second, **sent)
            cast.second.refresh_from_db()
            assert (cast.second.is_staff, cast.second.is_superuser) == (expected, expected)

    def test_nothing_else_of_an_account_can_be_sent(self, cast, browser_of):
        self.change(
            cast, browser_of, cast.second, is_active="on", username="boss", is_superuser="on", email="x@y.z"
        )
        cast.second.refresh_from_db()
        assert (cast.second.username, cast.second.email, cast.second.is_superuser) == ("second", "", False)

    def test_nobody_shuts_themselves_out(self, cast, browser_of):
        answer = self.change(cast, browser_of, cast.admin, is_active="on")
        assert answer.status_code == 200 and "another admin can" in answer.content.decode()
        cast.admin.refresh_from_db()
        assert cast.admin.is_staff and cast.admin.is_active
        with pytest.raises(Refused):
            accounts.set_access(cast.admin, {"is_active": False, "is_staff": True}, actor=cast.admin)

    def test_a_password_is_set_by_the_validators(self, cast, browser_of):
        page = address(User, f"{cast.second.pk}/password/")
        client = browser_of(cast.admin)
        weak = {"password1": "12345678", "password2": "12345678", "usable_password": "true"}
        assert client.post(page, weak).status_code == 200
        strong = weak | {"password1": "a new long secret", "password2": "a new long secret"}
        assert client.post(page, strong).status_code == 302
        cast.second.refresh_from_db()
        assert cast.second.check_password("a new long secret")

    def test_accounts_are_neither_made_nor_deleted_here(self, cast, browser_of):
        client, people = browser_of(cast.admin), User.objects.count()
        assert client.post(address(User, "add/"), {"username": "x"}).status_code == 403
        assert client.post(address(User, f"{cast.second.pk}/delete/"), {"post": "yes"}).status_code == 403
        assert User.objects.count() == people
