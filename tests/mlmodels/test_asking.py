"""What the queue asks first: a project's shares, and the order that the worker makes of them."""

import numpy as np
import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from annotations.errors import BadInput
from annotations.models import AuditEvent, QueueEntry
from annotations.services import tags
from annotations.types import TagSpec
from mlmodels import selectors, tasks
from mlmodels.models import AskingPolicy, ModelVersion
from mlmodels.services import asking, heads, languages, ranking, runs, scoring, training

NOTHING = dict.fromkeys(asking.FIELDS, 0)


def train(planted):
    run = training.execute(runs.request(planted.project.pk).pk)
    return ModelVersion.objects.get(run=run)


def ask(planted, **shares):
    """Give the queue these shares and put it in order anew."""
    asking.update(planted.project.pk, NOTHING | shares, actor_id=planted.cast.admin.pk)
    tasks.asking_changed(planted.project.pk)
    tasks.walk(planted.project.pk, everything=True)
    return list(QueueEntry.objects.filter(project=planted.project).order_by("rank"))


@pytest.fixture
def learnt(planted):
    """Thirty images wait; a version has learnt from sixty."""
    planted.images(90, caption="A boat.")
    planted.review(60)
    train(planted)
    return planted


class TestOrder:
    def test_uncertain_images_are_those_on_which_most_keystrokes_are_expected(self, learnt):
        entries = ask(learnt, uncertain=90)

        wanted = [entry for entry in entries if entry.appeal > 1]
        assert len(wanted) == 3, "a tenth of those that wait"
        assert {entry.component for entry in wanted} == {"uncertain"}
        assert all(entry.reason.startswith("uncertain: ") for entry in wanted)
        assert {round(entry.appeal, 9) for entry in entries} == {0.1, 9.1}

    def test_appeal_is_one_on_the_mean_of_all_that_wait(self, learnt):
        entries = ask(learnt, uncertain=30, diverse=20, rare=20, disagreement=10)

        assert np.mean([entry.appeal for entry in entries]) == pytest.approx(1.0)
        assert min(entry.appeal for entry in entries) >= 0.2

    def test_disagreement_says_what_each_source_says(self, learnt):
        reasons = {
            entry.reason for entry in ask(learnt, disagreement=90) if entry.component == "disagreement"
        }

        assert reasons
        assert all(reason.startswith(("caption says ", "pixels show ")) for reason in reasons)

    def test_what_is_unlike_the_reviewed_says_so(self, learnt):
        found = [entry for entry in ask(learnt, diverse=90) if entry.component == "diverse"]

        assert {entry.reason for entry in found} == {"unlike what was reviewed so far"}

    def test_a_new_tag_is_rare_and_hunted(self, learnt):
        (kite,) = tags.create_many(learnt.project, [TagSpec(name="kite")], actor=None)
        learnt.images(5, first=90, caption="A kite.")
        tasks.vocabulary_changed(learnt.project.pk)

        hunted = [entry for entry in ask(learnt, rare=90) if entry.component == "rare"]
        assert {entry.reason for entry in hunted} == {f"may show the rare tag {kite.name}"}
        assert {entry.image.caption for entry in hunted} == {"A kite."}

    def test_without_shares_all_is_random(self, learnt):
        entries = ask(learnt)

        assert {(entry.component, entry.reason, entry.appeal) for entry in entries} == {
            ("random", "random", 1.0)
        }

    def test_before_scores_are_calibrated_shares_do_not_count_yet(self, planted):
        planted.images(40)
        planted.review(20)
        train(planted)

        assert {entry.component for entry in ask(planted, uncertain=90)} == {"random"}

    def test_the_same_version_and_shares_give_the_same_order(self, learnt):
        once = [entry.image_id for entry in ask(learnt, uncertain=50)]
        again = [entry.image_id for entry in ask(learnt, uncertain=50)]
        other = [entry.image_id for entry in ask(learnt, uncertain=51)]

        assert once == again
        assert once != other

    def test_holdout_images_stand_in_no_order(self, learnt):
        held = learnt.images(3, first=200, holdout=True)
        scoring.refresh(learnt.project.pk, [image.pk for image in held])

        entries = QueueEntry.objects.filter(image__in=held)
        assert {(entry.component, entry.appeal) for entry in entries} == {("random", 1.0)}

    def test_what_an_order_needs_is_read_once_however_many_batches_follow(self, learnt, monkeypatch):
        asking.update(learnt.project.pk, NOTHING | {"diverse": 40, "rare": 40}, actor_id=None)
        ids = list(QueueEntry.objects.order_by("pk").values_list("image_id", flat=True))
        asked = []
        monkeypatch.setattr(scoring, "CHUNK_IMAGES", 10)
        whole = ranking.question
        monkeypatch.setattr(ranking, "question", lambda *of: asked.append(of) or whole(*of))
        scoring.refresh(learnt.project.pk, ids)

        assert len(ids) == 30
        assert len(asked) == 1

    def test_reading_it_takes_a_bounded_number_of_queries(self, learnt):
        asking.update(learnt.project.pk, NOTHING | {"diverse": 90}, actor_id=None)
        language = languages.of_project(learnt.project.pk)
        scorer = heads.scorer_for(learnt.project.pk, language)
        with CaptureQueriesContext(connection) as queries:
            ranking.question(learnt.project.pk, scorer, language, 1)
        assert len(queries) <= 5


class TestShares:
    def test_the_defaults_leave_the_larger_part_to_chance(self, cast):
        assert selectors.asking_policy(cast.project.pk).random >= 50

    def test_a_change_is_stored_and_told(self, cast):
        asking.update(cast.project.pk, {"rare": 20}, actor_id=cast.admin.pk)

        assert selectors.asking_policy(cast.project.pk).rare == 20
        event = AuditEvent.objects.get(action="policy.asking")
        assert (event.actor, event.details) == (cast.admin, {"rare": 20})

    def test_at_least_a_tenth_is_left_to_chance(self, cast):
        with pytest.raises(BadInput, match="At least a tenth"):
            asking.update(cast.project.pk, {"uncertain": 60, "rare": 31}, actor_id=None)
        assert not AskingPolicy.objects.exists()

    @pytest.mark.parametrize("changes", [{"random": 10}, {"certain": 1}])
    def test_an_unknown_share_is_named(self, cast, changes):
        with pytest.raises(BadInput, match="Unknown: "):
            asking.update(cast.project.pk, changes, actor_id=None)

    def test_the_database_refuses_what_no_form_has_seen(self, cast):
        with pytest.raises(IntegrityError):
            AskingPolicy.objects.create(project=cast.project, uncertain=91)


class TestApi:
    def address(self, cast):
        return f"/api/v1/projects/{cast.project.pk}/asking-policy/"

    def test_an_admin_reads_and_changes_shares(self, cast, client_of):
        admin = client_of(cast.admin)
        answer = admin.patch(
            self.address(cast), {"uncertain": 20, "rare": 30, "diverse": 0, "disagreement": 0}
        )

        assert answer.status_code == 200, answer.json()
        wanted = {"uncertain": 20, "diverse": 0, "rare": 30, "disagreement": 0, "random": 50}
        assert answer.json() == admin.get(self.address(cast)).json() == wanted

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"uncertain": 91}, "uncertain"), ({"rare": -1}, "rare"), ({"diverse": "x"}, "diverse")],
    )
    def test_a_bad_share_is_named(self, cast, client_of, change, field):
        answer = client_of(cast.admin).patch(self.address(cast), change)
        assert answer.status_code == 400
        assert field in answer.json()["error"]["fields"]

    def test_shares_that_leave_nothing_to_chance_are_refused_with_the_sum(self, cast, client_of):
        answer = client_of(cast.admin).patch(self.address(cast), {"uncertain": 90, "rare": 90})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_shares")
        assert "At least a tenth" in answer.json()["error"]["message"]


class TestPage:
    def test_an_admin_changes_shares_on_their_page(self, cast, client):
        client.force_login(cast.admin)
        here = f"/projects/{cast.project.pk}/models/asking/"
        assert 'name="uncertain"' in client.get(here).content.decode()
        assert client.post(here, NOTHING | {"rare": 40}).status_code == 302
        assert selectors.asking_policy(cast.project.pk).rare == 40

    def test_the_form_comes_back_with_what_is_wrong(self, cast, client):
        client.force_login(cast.admin)
        answer = client.post(
            f"/projects/{cast.project.pk}/models/asking/", NOTHING | {"rare": 50, "uncertain": 41}
        )
        assert answer.status_code == 400
        assert "At least a tenth is left to chance" in answer.content.decode()

    def test_a_manager_is_refused(self, cast, client):
        client.force_login(cast.manager)
        assert client.get(f"/projects/{cast.project.pk}/models/asking/").status_code == 403
