"""Making projects by page, the first run, the sample project's button, overview, settings and the trash."""

import pytest

from annotations.models import ImportItem, ImportJob, Project
from annotations.services import jobs, projects, sample_project
from annotations.views.overview import next_step
from tests.factories import make_images, make_tags, review_by_two, review_next


def text_of(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def newcomer(cast, django_user_model):
    """An installation admin without any project."""
    return django_user_model.objects.create_user("newcomer", is_staff=True)


def test_the_first_run_offers_the_sample_and_own_images(newcomer, browser_of):
    page = text_of(browser_of(newcomer).get("/projects/"))
    assert "Import my images" in page and "Open the sample project" in page


def test_a_newcomer_without_rights_is_told_whom_to_ask(cast, browser_of):
    page = text_of(browser_of(cast.outsider).get("/projects/"))
    assert "A manager adds you by your user name: <strong>outsider</strong>" in page
    assert "/projects/new/" not in page
    assert browser_of(cast.outsider).get("/projects/new/").status_code == 403


def test_a_project_is_made_with_its_settings(newcomer, browser_of):
    sent = {
        "name": "Birds",
        "description": "By the lake",
        "reviews_per_image": 2,
        "holdout_percent": 20,
        "unmarked": "no",
    }
    answer = browser_of(newcomer).post("/projects/new/", sent)
    made = Project.objects.get(name="Birds")
    assert answer["Location"] == f"/projects/{made.pk}/"
    assert (made.reviews_per_image, made.holdout_percent, made.created_by) == (2, 20, newcomer)


def test_a_project_without_a_name_is_refused_at_the_field(newcomer, browser_of):
    sent = {"name": " ", "reviews_per_image": 1, "holdout_percent": 15, "unmarked": "no"}
    answer = browser_of(newcomer).post("/projects/new/", sent)
    assert answer.status_code == 400 and "This field is required." in text_of(answer)


def test_the_card_shows_progress_and_the_live_f1(cast, browser_of):
    from annotations.services import live_model

    make_tags(cast.project, "dog")
    make_images(cast.project, 4)
    review_next(cast, cast.annotator, yes=("dog",))
    live_model.publish(
        cast.project.pk, version_id=5, number=3, provisional=False, metrics={"micro_f1": 0.724}, tags={}
    )
    page = text_of(browser_of(cast.annotator).get("/projects/"))
    assert "<strong>25 %</strong>" in page and "F1 .72 live, v3" in page and "Elsewhere" not in page


def test_the_card_has_a_line_of_reviews_a_day(cast, browser_of):
    make_tags(cast.project, "dog")
    make_images(cast.project, 4)
    assert "no review lately" in text_of(browser_of(cast.annotator).get("/projects/"))
    for _ in range(2):
        review_next(cast, cast.annotator, yes=("dog",))
    page = text_of(browser_of(cast.annotator).get("/projects/"))
    assert '<data-plot kind="spark" name="Reviews a day in Outdoors: 2 in the last 14 days">' in page
    assert page.count('<td data-value="0"') == 13 and page.count('<td data-value="2"') == 1


class TestSearch:
    def test_few_projects_need_none(self, cast, browser_of):
        assert 'role="search"' not in text_of(browser_of(cast.admin).get("/projects/"))

    def test_many_are_found_by_words_of_name_and_description(self, cast, browser_of):
        for number in range(6):
            projects.create(cast.admin, name=f"Lake {number}", description="by the sea" if number else "")
        page = text_of(browser_of(cast.admin).get("/projects/", {"q": "LAKE sea"}))
        assert 'role="search"' in page and page.count('class="card project-card"') == 5
        assert "Outdoors" not in page
        nothing = text_of(browser_of(cast.admin).get("/projects/", {"q": "moon"}))
        assert "No project has these words" in nothing and 'value="moon"' in nothing


class TestSampleProject:
    def test_two_clicks_make_one_project(self, newcomer, browser_of):
        client = browser_of(newcomer)
        first = client.post("/projects/sample/")["Location"]
        assert client.post("/projects/sample/")["Location"] == first
        assert Project.objects.filter(created_by=newcomer).count() == 1

    def test_its_scenes_arrive_through_the_import(self, newcomer):
        project = sample_project.create(newcomer, count=20)
        sample_project.run(jobs.claim(ImportJob, sample_project.job_of(project).pk))
        job = sample_project.job_of(project)
        assert (job.state, job.done, job.total, job.result["added"]) == ("done", 20, 20, 20)
        assert project.images.count() == 20
        assert project.images.exclude(caption="").exists()
        assert project.tags.count() == 20

    def test_killed_half_way_it_goes_on_without_doubles(self, newcomer, monkeypatch):
        project = sample_project.create(newcomer, count=40)
        job_id = sample_project.job_of(project).pk

        class Killed(BaseException):
            pass

        def die(job):
            raise Killed

        with monkeypatch.context() as patched:
            stage, steps = sample_project._stage, []

            def stage_once(job, scenes):
                if steps:
                    raise Killed
                steps.append(1)
                return stage(job, scenes)

            patched.setattr(sample_project, "_stage", stage_once)
            with pytest.raises(Killed):
                sample_project.run(jobs.claim(ImportJob, job_id))
        assert ImportItem.objects.filter(job=job_id).count() == sample_project.STEP
        ImportJob.objects.filter(pk=job_id).update(heartbeat_at="2020-01-01T00:00Z")
        sample_project.run(jobs.claim(ImportJob, job_id))
        assert ImportItem.objects.filter(job=job_id).count() == 40
        assert project.images.count() == 40

    def test_while_it_is_drawn_the_overview_says_so(self, newcomer, browser_of):
        project = sample_project.create(newcomer, count=20)
        job = jobs.claim(ImportJob, sample_project.job_of(project).pk)
        jobs.beat(job, result={**job.result, "drawn": 7})
        page = text_of(browser_of(newcomer).get(f"/projects/{project.pk}/"))
        assert "<b>Drawing the scenes</b> 7 of 20" in page

    def test_it_needs_the_right_to_create_projects(self, cast, browser_of):
        answer = browser_of(cast.outsider).post("/projects/sample/")
        assert answer.status_code == 403 and not ImportJob.objects.exists()


class TestOverview:
    def test_without_images_a_manager_is_led_to_the_import(self, cast, browser_of, here):
        page = text_of(browser_of(cast.manager).get(here))
        assert "No images yet" in page
        assert "A manager of this project imports them." in text_of(browser_of(cast.annotator).get(here))

    def test_without_tags_to_the_vocabulary(self, cast, browser_of, here):
        make_images(cast.project, 1)
        page = text_of(browser_of(cast.manager).get(here))
        assert "Write the tags" in page and f'href="{here}tags/"' in page

    def test_with_both_to_the_first_review(self, cast, browser_of, here):
        make_tags(cast.project, "dog")
        make_images(cast.project, 1)
        assert "Review the first image" in text_of(browser_of(cast.annotator).get(here))

    def test_at_the_end_to_the_export(self, cast):
        figures = {"images": 1, "reviews": 1, "by_state": {"pending": 0, "unsure": 0, "disputed": 0}}
        step = next_step(cast.membership(cast.manager), figures, has_tags=True, is_importing=False)
        assert step is not None and step.page == "export"

    def test_where_people_disagree_a_reviewer_settles_that_first(self, cast, browser_of, here):
        make_tags(cast.project, "dog")
        review_by_two(cast, make_images(cast.project, 1)[0], ["dog"], [])
        page = text_of(browser_of(cast.reviewer).get(here))
        assert "1 image waits for a reviewer’s last word." in page
        assert page.count(f'href="{here}quality/disagreements/"') == 2
        annotator = text_of(browser_of(cast.annotator).get(here))
        assert "Nothing is left to do here." in annotator and "disagreements" not in annotator

    def test_it_shows_how_many_reviews_the_next_retrain_waits_for(self, cast, browser_of, here):
        make_tags(cast.project, "dog")
        make_images(cast.project, 5)
        for _ in range(3):
            review_next(cast, cast.annotator, yes=("dog",))
        page = text_of(browser_of(cast.annotator).get(here))
        assert "3 <small>of 10 reviews</small>" in page and page.count("<i data-on></i>") == 3

    def test_its_plots_are_of_what_was_done(self, cast, browser_of, here):
        make_tags(cast.project, "dog", "boat")
        make_images(cast.project, 5)
        assert "<data-plot" not in text_of(browser_of(cast.annotator).get(here))
        for _ in range(3):
            review_next(cast, cast.annotator, yes=("dog",), seconds=6.0)
        page = text_of(browser_of(cast.annotator).get(here))
        assert 'name="Images reviewed by the end of each day"' in page
        assert "Images an hour by day" in page and 'data-value="600.0" class="end">600</td>' in page
        assert "Images with a yes, 2 of 2 tags" in page
        assert "F1 by model version" not in page

    def test_a_long_vocabulary_is_drawn_in_part_and_whole_when_asked(self, cast, browser_of, here):
        make_tags(cast.project, "dog", *(f"tag {number}" for number in range(19)))
        make_images(cast.project, 1)
        review_next(cast, cast.annotator, yes=("dog",))
        client = browser_of(cast.annotator)
        some, every = text_of(client.get(here)), text_of(client.get(f"{here}?tags=all"))
        assert "Images with a yes, 12 of 20 tags" in some and 'href="?tags=all#balance">8 more' in some
        assert "Images with a yes, 20 of 20 tags" in every and "more</a>" not in every

    def test_to_htmx_it_answers_the_moving_part_alone(self, cast, browser_of, here):
        part = text_of(browser_of(cast.annotator).get(here, headers={"HX-Request": "true"}))
        assert "data-live" in part and "<html" not in part


class TestSettings:
    sent = {
        "name": "Indoors",
        "instructions": "Look twice.",
        "reviews_per_image": 3,
        "holdout_percent": 10,
        "unmarked": "unknown",
    }

    def test_a_manager_changes_them(self, cast, browser_of, here):
        assert browser_of(cast.manager).post(here + "settings/", self.sent).status_code == 302
        cast.project.refresh_from_db()
        assert (cast.project.name, cast.project.reviews_per_image) == ("Indoors", 3)
        assert (cast.project.instructions, cast.project.unmarked) == ("Look twice.", "unknown")

    def test_the_language_of_captions_is_chosen_and_kept_by_a_form_without_it(self, cast, browser_of, here):
        client = browser_of(cast.manager)
        page = text_of(client.get(here + "settings/"))
        assert '<option value="en" selected>English</option>' in page
        client.post(here + "settings/", self.sent | {"caption_language": "de"})
        client.post(here + "settings/", self.sent)
        cast.project.refresh_from_db()
        assert cast.project.caption_language == "de"
        refused = client.post(here + "settings/", self.sent | {"caption_language": "klingon"})
        assert refused.status_code == 400

    def test_a_reviewer_does_not(self, cast, browser_of, here):
        assert browser_of(cast.reviewer).post(here + "settings/", self.sent).status_code == 403
        cast.project.refresh_from_db()
        assert cast.project.name == "Outdoors"

    def test_the_trash_wants_the_name(self, cast, browser_of, here):
        client = browser_of(cast.admin)
        answer = client.post(here + "settings/delete/", {"name": "outdoors"})
        assert answer.status_code == 400 and "exactly" in text_of(answer)
        assert client.post(here + "settings/delete/", {"name": "Outdoors"})["Location"] == "/projects/"
        assert client.get(here).status_code == 404
        assert Project.objects.filter(pk=cast.project.pk).exists()

    def test_a_manager_cannot_delete(self, cast, browser_of, here):
        assert (
            browser_of(cast.manager).post(here + "settings/delete/", {"name": "Outdoors"}).status_code == 403
        )
        assert projects.Project.objects.get(pk=cast.project.pk).deleted_at is None
