"""A version's page shows the scores that it was judged by, and two versions are compared tag by tag."""

import re

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Image, Project
from annotations.views.plots import written
from mlmodels.models import ModelVersion
from mlmodels.services import evaluation_detail, versions
from mlmodels.services.evaluation_detail import Judged
from tests.mlmodels.views.conftest import text_of, version_of


def plot_of(page, name):
    start = page.index(f'name="{name}')
    return page[start : page.index("</data-plot>", start)]


def row_of(figures):
    """The point that the offers of a tag reach, which is on no curve."""
    recall, precision = (figures[name] for name in ("recall", "precision"))
    cell = f'<td data-value="{recall}" class="end">{written(recall, "share")}</td>'
    return f'{cell}<td class="end">–</td><td data-value="{precision}"'


class TestScores:
    def test_of_all_tags(self, trained, planted, browser_of, here):
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{trained[1].pk}/"))
        assert "Scores of all tags" in page and 'name="Scores of yes and of no"' in page
        assert 'name="Tags that come together, by people and by the model"' in page
        assert "boat + tree" in page or "tree + boat" in page
        assert "Surest mistakes" in page and f"/projects/{planted.project.pk}/gallery/" in page

    def test_of_one_tag(self, trained, planted, browser_of, here):
        dog = planted.tags["dog"]
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{trained[1].pk}/?tag={dog}"))
        assert "Scores of dog" in page and f'<option value="{dog}" selected>dog</option>' in page
        assert "Precision against recall of dog and of all tags together" in page
        assert row_of(trained[1].tag_metrics[str(dog)]) in plot_of(page, "Precision against recall")
        errors = page[page.index("Surest mistakes") :]
        assert '<span class="error-tag">dog</span>' in errors and '"error-tag">boat' not in errors

    def test_where_the_model_made_no_error_that_is_said(
        self, trained, planted, browser_of, here, monkeypatch
    ):
        tag_ids = list(planted.tags.values())
        perfect = Judged(
            image_ids=np.array([Image.objects.earliest("pk").pk]),
            tag_ids=np.array(tag_ids),
            truth=np.array([[1, 0, 1]], dtype=np.int8),
            scores=np.array([[0.6, 0.4, 0.9]]),
            thresholds=np.full(3, 0.5),
            weights=np.ones(1),
        )
        monkeypatch.setattr(evaluation_detail, "read", lambda version: perfect)
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{trained[1].pk}/"))
        errors = page[page.index("Surest mistakes") :]
        assert "None: on the images that may be shown, no refused tag reached its threshold." in errors
        assert "None: on the images that may be shown, every yes reached its threshold." in errors
        assert "/gallery/" not in errors

    @pytest.mark.parametrize("asked", ["9999999", "x", "-1", "²"])
    def test_of_a_tag_that_is_not_there_are_those_of_all(self, trained, planted, browser_of, here, asked):
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{trained[1].pk}/", {"tag": asked}))
        assert "Scores of all tags" in page

    def test_a_version_without_stored_scores_says_so(self, planted, browser_of, here):
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{version_of(planted, 1).pk}/"))
        assert "were not stored with it" in page and "Surest mistakes" not in page

    def test_an_image_that_must_be_tagged_blind_is_not_among_the_errors(
        self, trained, planted, browser_of, here
    ):
        address = f"{here}{trained[1].pk}/"
        client = browser_of(planted.cast.manager)
        shown = set(re.findall(r"/gallery/(\d+)/", client.get(address).content.decode()))
        hidden = min(shown)
        Image.objects.filter(pk=hidden).update(is_holdout=True, reviews_done=0)
        left = set(re.findall(r"/gallery/(\d+)/", client.get(address).content.decode()))
        assert left and hidden not in left

    def test_queries_do_not_grow_with_tags(self, trained, planted, browser_of, here):
        client = browser_of(planted.cast.manager)

        def queries():
            with CaptureQueriesContext(connection) as captured:
                assert client.get(f"{here}{trained[1].pk}/").status_code == 200
            return len(captured)

        few = queries()
        many = {str(10_000 + n): {"name": f"tag {n}", "support": 20, "needed": 10} for n in range(18)}
        ModelVersion.objects.filter(pk=trained[1].pk).update(tag_metrics=trained[1].tag_metrics | many)
        assert queries() == few


class TestComparing:
    @staticmethod
    def two(planted):
        def tags(values):
            return {
                str(n): {"name": name, "f1": f1, "average_precision": 0.5, "f1_interval": bounds_of(f1)}
                for n, (name, f1) in enumerate(values.items())
            }

        def bounds_of(f1):
            return None if f1 is None else [round(f1 - 0.1, 2), round(f1 + 0.1, 2)]

        first = version_of(planted, 1, tag_metrics=tags({"dog": 0.5, "boat": 0.6, "hat": 0.4, "sea": None}))
        second = version_of(planted, 2, tag_metrics=tags({"dog": 0.55, "boat": 0.3, "hat": 0.4, "sea": 0.5}))
        return first, second

    def test_the_largest_change_comes_first(self, planted, browser_of, here):
        first, second = self.two(planted)
        address = f"{here}compare/?a={first.pk}&b={second.pk}&by=f1"
        page = text_of(browser_of(planted.cast.manager).get(address))
        plot = page[page.index("<data-plot") : page.index("</data-plot>")]
        assert re.findall(r'<tr(?: data-tone="(\w+)")?><th scope="row">(\w+)', plot) == [
            ("stop", "boat"),
            ("", "dog"),
            ("", "hat"),
        ]
        assert "−.30" in plot and "+.05" in plot and "v1 and v2" in page
        assert 'data-value="0.45" class="end">.45' in plot, "the lower bound of a figure"

    def test_a_tag_that_the_later_has_not_learnt_is_grey_with_the_reason_at_the_end(
        self, planted, browser_of, here
    ):
        def tags(f1):
            learnt = {"name": "dog", "f1": 0.5, "support": 20, "needed": 10}
            return {"1": {"name": "boat", "f1": f1, "support": 7, "needed": 10}, "2": learnt}

        for number, f1 in ((1, 0.9), (2, 0.0)):
            version_of(planted, number, tag_metrics=tags(f1))
        page = text_of(browser_of(planted.cast.manager).get(f"{here}compare/?by=f1"))
        plot = plot_of(page, "F1 of v1 and of v2")
        assert re.findall(r'<tr(?: data-tone="(\w+)")?><th scope="row">(\w+)', plot) == [
            ("", "dog"),
            ("context", "boat"),
        ]
        assert "7 of 10 yes needed" in plot and "−.90" not in plot

    def test_over_all_tags_too_only_a_change_that_the_intervals_carry_has_a_colour(
        self, planted, browser_of, here
    ):
        def figures(f1, keystrokes, spread):
            return {
                "micro_f1": f1,
                "micro_f1_interval": [f1 - spread, f1 + spread],
                "keystrokes": keystrokes,
                "keystrokes_interval": [keystrokes - spread, keystrokes + spread],
                "calibration_error": keystrokes / 10,
            }

        version_of(planted, 1, metrics=figures(0.5, 3.0, 0.1))
        version_of(planted, 2, metrics=figures(0.55, 2.0, 0.1))
        page = text_of(browser_of(planted.cast.manager).get(f"{here}compare/"))
        assert '.55<div class="tiny muted">.45 to .65</div>' in page
        assert re.findall(r'class="delta"(?: data-tone="(\w+)")?>([^<]+)<', page) == [
            ("", "+.05"),
            ("up", "−1.00"),
            ("", "−.10"),
        ]

    def test_beside_its_parent_too_a_tag_has_a_colour_only_where_the_intervals_carry_it(
        self, planted, browser_of, here
    ):
        first, second = self.two(planted)
        ModelVersion.objects.filter(pk=second.pk).update(parent=first)
        page = text_of(browser_of(planted.cast.manager).get(f"{here}{second.pk}/"))
        table = page[page.index("Since v1") : page.index("</table>")]
        assert re.findall(r'class="delta"(?: data-tone="(\w+)")?>([^<]+)<', table) == [
            ("", "+.05"),
            ("", "0"),
            ("down", "−.30"),
        ]

    def test_a_version_beside_itself_is_said(self, planted, browser_of, here):
        first, _ = self.two(planted)
        page = text_of(browser_of(planted.cast.manager).get(f"{here}compare/?a={first.pk}&b={first.pk}"))
        assert "The same version twice" in page and "<data-plot" not in page

    def test_who_may_is_offered_to_put_live_what_is_not(self, planted, browser_of, here):
        first, second = self.two(planted)
        versions.go_live(second)
        offer = f'href="{here}{{}}/activate/">Put v'
        admin, manager = (
            text_of(browser_of(user).get(f"{here}compare/"))
            for user in (planted.cast.admin, planted.cast.manager)
        )
        assert offer.format(first.pk) in admin and offer.format(second.pk) not in admin
        assert offer.format(first.pk) not in manager

    def test_without_a_choice_the_newest_and_the_one_before_it(self, planted, browser_of, here):
        self.two(planted)
        page = text_of(browser_of(planted.cast.manager).get(f"{here}compare/"))
        assert "<h1>v1 and v2</h1>" in page and "Average precision of v1 and of v2" in page
        assert "F1, all tags together" in page and "+.01" in page

    def test_one_version_or_none_is_said(self, planted, browser_of, here):
        client = browser_of(planted.cast.manager)
        assert "No version yet" in text_of(client.get(f"{here}compare/"))
        version_of(planted, 1)
        assert "One version only" in text_of(client.get(f"{here}compare/"))

    def test_a_version_of_another_project_is_not_found(self, planted, browser_of, here):
        self.two(planted)
        foreign = version_of(planted, 3, project=Project.objects.get(name="Elsewhere"))
        answer = browser_of(planted.cast.manager).get(f"{here}compare/?a={foreign.pk}")
        assert answer.status_code == 404

    def test_queries_do_not_grow_with_versions(self, planted, browser_of, here):
        self.two(planted)
        client = browser_of(planted.cast.manager)

        def queries():
            with CaptureQueriesContext(connection) as captured:
                assert client.get(f"{here}compare/").status_code == 200
            return len(captured)

        few = queries()
        for number in range(3, 21):
            version_of(planted, number)
        assert queries() == few
