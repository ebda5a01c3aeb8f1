"""Pages of the model: who sees and who acts, what is said of versions, runs, the ledger and the policy."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import LiveModel, Project
from mlmodels.models import Extractor, PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import policy, runs, tuned_backbones, versions
from tests.annotations.views.test_access import assert_nothing_inline
from tests.mlmodels.views.conftest import refused_run, text_of, version_of


class TestAccess:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("outsider", 404), ("annotator", 403), ("reviewer", 403), ("manager", 200), ("admin", 200)],
    )
    @pytest.mark.parametrize("page", ["", "{version}/", "compare/"])
    def test_managers_see(self, planted, browser_of, here, page, who, status):
        version = version_of(planted, 1)
        address = here + page.format(version=version.pk)
        assert browser_of(getattr(planted.cast, who)).get(address).status_code == status

    @pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("annotator", 403), ("manager", 403)])
    @pytest.mark.parametrize("page", ["train/", "policy/", "runs/{run}/cancel/", "{version}/activate/"])
    def test_only_admins_act(self, planted, browser_of, here, page, who, status):
        version, run = version_of(planted, 1), runs.request(planted.project.pk)
        address = here + page.format(version=version.pk, run=run.pk)
        answer = browser_of(getattr(planted.cast, who)).post(address, {"every_reviews": "5"})
        run.refresh_from_db()
        assert answer.status_code == status
        assert run.state == "queued" and not TrainingPolicy.objects.exists()
        assert not LiveModel.objects.filter(project=planted.project, version_id=version.pk).exists()

    def test_a_manager_is_offered_nothing_that_is_refused_to_them(self, planted, browser_of, here):
        version_of(planted, 1)
        runs.request(planted.project.pk)
        page = text_of(browser_of(planted.cast.manager).get(here))
        assert "v1" in page
        assert all(word not in page for word in ("Train now", "Put live", "Save the policy", "/cancel/"))

    def test_versions_and_runs_of_another_project_are_not_found(self, planted, browser_of):
        version, run = version_of(planted, 1), runs.request(planted.project.pk)
        other = f"/projects/{Project.objects.get(name='Elsewhere').pk}/models/"
        client = browser_of(planted.cast.admin)
        assert client.get(f"{other}{version.pk}/").status_code == 404
        assert client.post(f"{other}{version.pk}/activate/").status_code == 404
        assert client.post(f"{other}runs/{run.pk}/cancel/").status_code == 404

    @pytest.mark.parametrize("page", ["", "policy/", "compare/", "{version}/", "{version}/activate/"])
    def test_one_heading_and_nothing_inline(self, trained, cast, browser_of, here, page):
        html = browser_of(cast.admin).get(here + page.format(version=trained[0].pk)).content.decode()
        assert len(re.findall(r"<h1[ >]", html)) == 1
        assert_nothing_inline(html)


class TestVersions:
    def test_states_are_told_apart(self, planted, trained, browser_of, here):
        version_of(planted, 9, verdict="refused")
        page = text_of(browser_of(planted.cast.manager).get(here))
        first, second = trained
        rows = dict(re.findall(r'/models/\d+/">v(\d+)</a></th>(.*?)</tr>', page))
        assert "live" in rows[str(second.number)] and "previous" in rows[str(first.number)]
        assert ">refused<" in rows["9"]
        assert f"{second.metrics['micro_f1']:.2f}".removeprefix("0") in rows[str(second.number)]

    def test_the_plot_has_a_table_behind_it(self, trained, cast, browser_of, here):
        page = text_of(browser_of(cast.manager).get(here))
        plot = page[page.index("<data-plot") : page.index("</data-plot>")]
        assert 'name="F1 and average precision of 2 versions' in plot
        assert plot.count('<th scope="row">v') == 2
        assert 'data-value="50" class="end">50</td>' in plot
        assert plot.count('<tr data-tone="live">') == 1

    def test_one_version_is_not_a_plot(self, planted, browser_of, here):
        version_of(planted, 1)
        assert "<data-plot" not in text_of(browser_of(planted.cast.manager).get(here))

    def test_none_yet_is_said(self, cast, browser_of, here):
        page = text_of(browser_of(cast.manager).get(here))
        assert "No version yet" in page and "no version yet" in page and "0 of 10 reviews" in page

    def test_without_a_version_the_next_step_is_what_is_missing(self, planted, browser_of, here):
        client, project = browser_of(planted.cast.manager), f"/projects/{planted.project.pk}/"
        assert f'href="{project}import/">Import images</a>' in text_of(client.get(here))
        planted.images(1)
        page = text_of(client.get(here))
        assert f'href="{project}review/">Review</a>' in page and "Import images" not in page

    def test_rolling_back_asks_and_then_serves_the_earlier_one(self, trained, cast, browser_of, here):
        first, second = trained
        client = browser_of(cast.admin)
        assert f'href="{here}{first.pk}/activate/">Roll back to v{first.number}' in text_of(client.get(here))
        asked = text_of(client.get(f"{here}{first.pk}/activate/"))
        assert f"instead of those of v{second.number}" in asked
        assert LiveModel.objects.get(project=cast.project).version_id == second.pk
        answer = client.post(f"{here}{first.pk}/activate/", follow=True)
        assert f"v{first.number} is live." in text_of(answer)
        assert LiveModel.objects.get(project=cast.project).version_id == first.pk

    def test_after_going_back_the_way_forward_is_not_called_back(self, trained, cast, browser_of, here):
        first, second = trained
        versions.go_live(first)
        page = text_of(browser_of(cast.admin).get(here))
        assert f'href="{here}{second.pk}/activate/">Put v{second.number} live again</a>' in page
        assert "Roll back" not in page

    def test_a_version_says_how_sure_its_figures_are_and_what_they_are_over(self, planted, browser_of, here):
        figures = {
            "micro_f1": 0.612,
            "micro_f1_interval": [0.571, 0.648],
            "macro_average_precision": 0.5,
            "macro_average_precision_interval": [None, None],
            "macro_tags": 1,
            "corrections": 0.83,
            "judged_on": "holdout",
            "near_holdout_left_out": 17,
            "fresh": {
                "images": 200,
                "micro_f1": 0.5,
                "macro_average_precision": None,
                "corrections": 1.25,
                "keystrokes": 2.5,
            },
        }
        tag = {
            "name": "dog",
            "average_precision": 0.83,
            "f1": 0.7,
            "f1_interval": [0.6, 0.8],
            "support": 20,
            "needed": 10,
            "judged_yes": 14,
        }
        version = version_of(planted, 1, metrics=figures, tag_metrics={"1": tag})
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{version.pk}/"))
        assert '>.61</span></dd><dd class="tiny muted num">.57 to .65</dd>' in page
        assert "over 1 tag with enough yes" in page
        assert "On the 200 reviewed last: F1 .50, AP –, 1.25 corrections and 2.50 keystrokes" in page
        assert 'like a holdout image</dt><dd class="num">17</dd>' in page
        assert '<strong>.70</strong><div class="tiny muted nowrap">.60 to .80</div>' in page
        assert '<th scope="row">dog</th><td class="end">.83</td>' in page
        assert '<td class="end">20</td><td class="end">14</td>' in page

    def test_a_refused_version_is_put_live_knowing_all_that_the_gate_said(self, planted, browser_of, here):
        version = refused_run(planted, 9).version
        page = text_of(browser_of(planted.cast.admin).get(f"{here}{version.pk}/activate/"))
        assert "The gate refused it.</strong> AP .031 lower than v2, the best of the last 30 days." in page
        worst = "AP −.031 (−.059 to −.013), .10 more keystrokes an image (.25 more to .05 fewer)."
        other = (
            "Against v1: AP +.004 (−.010 to +.020), .30 fewer keystrokes an image (.10 fewer to .48 fewer)."
        )
        assert f"<li>Against v2, the best of the last 30 days: {worst}</li><li>{other}</li>" in page

    def test_a_version_without_its_file_is_a_message(self, planted, browser_of, here):
        version = version_of(planted, 1)
        answer = browser_of(planted.cast.admin).post(f"{here}{version.pk}/activate/", follow=True)
        told = text_of(answer)
        assert answer.status_code == 200 and "Activate another version." in told
        assert "The file of version 1 cannot be used (" in told and str(settings.MODELS_ROOT) not in told

    def test_a_version_without_its_file_says_so_and_offers_no_way_to_put_it_live(
        self, planted, trained, browser_of, here
    ):
        client = browser_of(planted.cast.admin)
        lost, whole = version_of(planted, 9), trained[0]
        offer = f'href="{here}{{}}/activate/">Put live…'
        page = text_of(client.get(f"{here}{lost.pk}/"))
        assert "Its file cannot be used." in page and offer.format(lost.pk) not in page
        asked = text_of(client.get(f"{here}{lost.pk}/activate/"))
        assert "Put another version live." in asked and "Put v9 live</button>" not in asked
        page = text_of(client.get(f"{here}{whole.pk}/"))
        assert "Its file cannot be used." not in page and offer.format(whole.pk) in page

    def test_a_version_whose_weights_were_removed_says_so_and_offers_no_way_to_put_it_live(
        self, trained, cast, browser_of, here
    ):
        client, version = browser_of(cast.admin), trained[0]
        name = tuned_backbones.name_for(version.extractor.name, runs.request_finetune(cast.project.pk).pk)
        Extractor.objects.filter(pk=version.extractor_id).update(name=name)
        page, asked = (text_of(client.get(f"{here}{version.pk}/{way}")) for way in ("", "activate/"))
        told = f"Its weights are gone.</strong> clean_backbones has removed those of {name}."
        assert told in page and f'href="{here}{version.pk}/activate/">Put live…' not in page
        assert f"{told} Put another version live." in asked
        assert f"Put v{version.number} live</button>" not in asked

    def test_queries_do_not_grow_with_versions_runs_and_checks(self, planted, browser_of, here):
        client = browser_of(planted.cast.admin)

        def grow(numbers):
            for number in numbers:
                run = TrainingRun.objects.create(
                    project=planted.project, state="done", actor=planted.cast.admin, total=6
                )
                version_of(planted, number, run=run)
                refused = refused_run(planted, number + 100)
                PolicyCheck.objects.create(
                    project=planted.project, outcome="ran", code="quiet", reason="It was quiet.", run=refused
                )

        def queries():
            with CaptureQueriesContext(connection) as captured:
                assert client.get(here).status_code == 200
            return len(captured)

        grow(range(1, 3))
        few = queries()
        grow(range(3, 21))
        assert queries() == few


def tuning_point(epoch):
    return {
        "epoch": epoch,
        "average_precision": 0.5,
        "loss": 0.2,
        "held_back_loss": 0.3,
        "seconds": 1.0,
    }


class TestOneVersion:
    def test_tags_the_gate_and_the_curves(self, trained, cast, browser_of, here):
        version = trained[1]
        page = text_of(browser_of(cast.manager).get(f"{here}{version.pk}/"))
        for figures in version.tag_metrics.values():
            assert f'<th scope="row">{figures["name"]}</th>' in page
        assert "Against v1: AP" in page and " keystrokes an image (" in page
        assert "Precision against recall" in page and "How often scores came true" in page
        assert f'href="{here}{trained[0].pk}/">Before it: v{trained[0].number}' in page

    def test_of_what_kind_it_is_stands_in_its_lineage(self, planted, trained, browser_of, here):
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{trained[1].pk}/"))
        assert f'<dt>Kind</dt><dd class="num">fast, run {trained[1].run_id}</dd>' in page
        assert "Fine-tuning, run" not in page

    def test_a_tuned_version_shows_the_run_that_tuned_it(self, planted, browser_of, here):
        run = TrainingRun.objects.create(
            project=planted.project,
            kind="finetune",
            state="done",
            options={"finetune": {"stages": 2, "epochs": 3, "loss": "asymmetric"}},
            tuning={"curve": [tuning_point(0), tuning_point(1)]},
        )
        version = version_of(planted, 1, run=run)
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{version.pk}/"))
        assert f'<a href="#tuning-title">fine-tuned, run {run.pk}</a>' in page
        assert f'id="tuning-title">Fine-tuning, run {run.pk}</h2>' in page
        assert "last 2 stages, up to 3 epochs" in page
        assert 'name="Average precision and loss by epoch"' in page

    def test_what_a_tag_still_needs_is_said(self, planted, browser_of, here):
        figures = {"name": "boat", "f1": 0.2, "support": 6, "needed": 10, "threshold": 0.5}
        version = version_of(planted, 1, tag_metrics={str(planted.tags["boat"]): figures})
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{version.pk}/"))
        assert "6 of 10 yes needed" in page and "0 of 1 learnt" in page

    def test_figures_that_are_not_there_are_said(self, planted, browser_of, here):
        version = version_of(planted, 1, metrics={}, reasons=["no tag has a yes in the evidence"])
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{version.pk}/"))
        assert page.count("Not there yet") == 2 and "No tag was judged." in page
        assert "No tag has a yes in the evidence." in page

    def test_a_long_vocabulary_is_shown_in_part_and_whole_when_asked(self, planted, browser_of, here):
        tags = {str(n): {"name": f"tag {n}", "support": 0, "needed": 10} for n in range(40)}
        version = version_of(planted, 1, tag_metrics=tags)
        client = browser_of(planted.cast.manager)
        some, every = (text_of(client.get(f"{here}{version.pk}/{query}")) for query in ("", "?all=1"))
        assert some.count("0 of 10 yes needed") == 12 and ">All 40<" in some
        assert every.count("0 of 10 yes needed") == 40 and ">All 40<" not in every


class TestTraining:
    def test_train_now_asks_for_a_run_and_shows_it(self, planted, browser_of, here):
        client = browser_of(planted.cast.admin)
        assert client.post(here + "train/")["Location"] == here
        run = TrainingRun.objects.get()
        assert (run.trigger, run.actor) == ("person", planted.cast.admin)
        page = text_of(client.get(here))
        assert f"Run {run.pk}" in page and "by admin" in page and "waiting" in page

    def test_a_running_run_says_its_stage_and_is_polled(self, planted, browser_of, here):
        run = runs.request(planted.project.pk)
        TrainingRun.objects.filter(pk=run.pk).update(state="running", stage="fit", done=1)
        client = browser_of(planted.cast.admin)
        page = text_of(client.get(here))
        assert "Stage <b>2</b> of 6, fitting" in page and 'hx-trigger="every 2s"' in page
        assert client.post(f"{here}runs/{run.pk}/cancel/")["Location"] == here
        run.refresh_from_db()
        assert run.cancel_requested
        assert "stops at its next stage" in text_of(client.get(here))

    def test_cancelling_what_has_ended_is_a_message(self, planted, browser_of, here):
        run = runs.request(planted.project.pk)
        TrainingRun.objects.filter(pk=run.pk).update(state="done")
        answer = browser_of(planted.cast.admin).post(f"{here}runs/{run.pk}/cancel/", follow=True)
        assert "The job is done already." in text_of(answer)

    def test_a_poll_brings_the_rest_only_when_something_has_changed(self, planted, browser_of, here):
        version_of(planted, 1)
        client = browser_of(planted.cast.manager)
        page = client.get(here).content.decode()
        poll = re.search(r'hx-get="([^"]+seen=[^"]+)"', page)[1]
        same = client.get(poll, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in same and "hx-swap-oob" not in same and "Next training" in same
        version_of(planted, 2)
        moved = client.get(poll, headers={"HX-Request": "true"}).content.decode()
        assert moved.count('hx-swap-oob="true"') == 3 and ">v2</a>" in moved

    def test_the_ledger_says_what_came_of_it(self, trained, planted, browser_of, here):
        PolicyCheck.objects.create(
            project=planted.project, outcome="waited", code="still_answering", reason="People are answering."
        )
        refused = refused_run(planted, 7)
        PolicyCheck.objects.create(
            project=planted.project, outcome="ran", code="quiet", reason="3 reviews waited.", run=refused
        )
        page = text_of(browser_of(planted.cast.manager).get(here))
        assert "<p>People are answering.</p>" in page
        link = '<a href="{}{}/">v{}</a>'
        seventh, second = link.format(here, refused.version.pk, 7), trained[1]
        why = "did not pass the gate: AP .031 lower than v2, the best of the last 30 days."
        assert f"refused</span></span><p>3 reviews waited. {seventh} {why}</p>" in page
        last = link.format(here, second.pk, second.number)
        assert f"ran</span></span><p>admin asked for run {second.run_id}. {last} went live.</p>" in page

    @pytest.mark.parametrize(
        ("state", "reason", "tone", "told"),
        [
            ("queued", "", "run", "asked</span></span><p>admin asked for run {}. It is not finished.<"),
            (
                "failed",
                "A file is gone.",
                "stop",
                "failed</span></span><p>admin asked for run {}. A file is gone.<",
            ),
            ("cancelled", "Stopped.", "", "cancelled</span></span><p>admin asked for run {}. Stopped.<"),
            ("cancelled", "", "", "cancelled</span></span><p>admin asked for run {}. It had not begun.<"),
        ],
    )
    def test_the_badge_says_what_became_of_a_run(self, planted, browser_of, here, state, reason, tone, told):
        run = TrainingRun.objects.create(
            project=planted.project, actor=planted.cast.admin, state=state, reason=reason
        )
        page = text_of(browser_of(planted.cast.manager).get(here))
        badge = f'<span class="badge" data-tone="{tone}">' if tone else '<span class="badge">'
        assert badge + told.format(run.pk) in page

    def test_passing_moments_crowd_nothing_out_of_the_ledger(self, planted, browser_of, here):
        PolicyCheck.objects.create(
            project=planted.project, outcome="refused", code="paused", reason="The policy is paused."
        )
        for _ in range(30):
            PolicyCheck.objects.create(
                project=planted.project,
                outcome="waited",
                code="too_soon",
                reason="At most one run every 10 s.",
            )
        page = text_of(browser_of(planted.cast.manager).get(here))
        assert "<p>The policy is paused.</p>" in page
        assert "At most one run every" not in page


class TestPolicy:
    SENT = {
        "every_reviews": "25",
        "at_most_every_seconds": "30",
        "after_quiet_seconds": "2.5",
        "paused": "on",
    }

    def test_it_is_saved_and_shown(self, planted, browser_of, here):
        client = browser_of(planted.cast.admin)
        sent = self.SENT | {"finetune_every_reviews": "400", "finetune_cron": "0 3 * * 6"}
        assert client.post(here + "policy/", sent)["Location"] == here
        saved = TrainingPolicy.objects.get(project=planted.project)
        assert [getattr(saved, name) for name in policy.FIELDS] == [25, 30.0, 2.5, True, 400, "0 3 * * 6"]
        page = text_of(client.get(here))
        assert "Training is paused" in page and 'value="2.5"' in page

    def test_what_comes_next_is_said(self, planted, browser_of, here):
        planted.images(3)
        planted.review(2)
        client = browser_of(planted.cast.admin)
        assert "Fine-tuning by itself" not in text_of(client.get(here))
        sent = {name: value for name, value in self.SENT.items() if name != "paused"}
        client.post(here + "policy/", sent | {"finetune_every_reviews": "500", "finetune_cron": "0 3 5 12 *"})
        said = "Fine-tuning by itself: 2 of 500 reviews, or [A-Z][a-z]{2} 5 Dec 03:00 UTC if there are new reviews."
        assert re.search(said, text_of(client.get(here)))

    def test_a_mistake_in_the_schedule_is_said_at_its_field(self, planted, browser_of, here):
        client = browser_of(planted.cast.admin)
        answer = client.post(here + "policy/", self.SENT | {"finetune_cron": "0 25 * * *"})
        told = text_of(answer)
        assert answer.status_code == 400 and "is not within 0 to 23" in told[told.index("finetune_cron") :]
        assert told.count("is not within 0 to 23") == 1

    def test_a_manager_reads_the_policy(self, planted, browser_of, here):
        policy.update(planted.project.pk, {"every_reviews": 25, "after_quiet_seconds": 0.0}, actor_id=None)
        page = text_of(browser_of(planted.cast.manager).get(here))
        facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))
        assert facts["Train after this many reviews"] == "25" and facts["Paused"] == "no"
        assert facts["Or after this many seconds of quiet"] == "0"
        assert facts["Fine-tune after this many reviews"] == "never"

    def test_unticking_paused_starts_it_again(self, planted, browser_of, here):
        policy.update(planted.project.pk, {"paused": True}, actor_id=None)
        sent = {name: value for name, value in self.SENT.items() if name != "paused"}
        browser_of(planted.cast.admin).post(here + "policy/", sent)
        assert TrainingPolicy.objects.get(project=planted.project).paused is False

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("every_reviews", "0", "greater than or equal to 1"),
            ("after_quiet_seconds", "-1", "greater than or equal to 0"),
            ("at_most_every_seconds", "soon", "Enter a number"),
        ],
    )
    def test_a_bad_value_is_said_at_its_field(self, planted, browser_of, here, field, value, sentence):
        answer = browser_of(planted.cast.admin).post(here + "policy/", self.SENT | {field: value})
        assert answer.status_code == 400 and sentence in text_of(answer)
        assert not TrainingPolicy.objects.exists()


def test_what_polls_and_what_lists_leave_the_large_columns_where_they_are(
    browser_of, client_of, cast, planted, here
):
    for number in (1, 2):
        version_of(planted, number, tag_metrics={"1": {"name": "dog"}}, curves={"calibration": []})
    seen = re.search(r"\?seen=([^\"&]*)", browser_of(cast.manager).get(here).content.decode()).group(1)
    with CaptureQueriesContext(connection) as polled:
        browser_of(cast.manager).get(f"{here}?seen={seen}", HTTP_HX_REQUEST="true")
    with CaptureQueriesContext(connection) as listed:
        rows = client_of(cast.manager).get(f"/api/v1/projects/{cast.project.pk}/models/").json()["results"]
    assert [row["number"] for row in rows] == [2, 1]
    said = [query["sql"] for query in (*polled, *listed)]
    assert said and not any("tag_metrics" in sql or "curves" in sql for sql in said)
