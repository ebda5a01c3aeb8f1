"""What more reviews would bring, as the pages and the API say it."""

import pytest
from django.utils import timezone

from annotations.services import tags as tag_service
from mlmodels.models import Extractor, LearningForecast
from mlmodels.services import versions
from mlmodels.views import forecasts as shown
from tests.factories import make_images
from tests.mlmodels.views.conftest import text_of, version_of


def expected(images, value, *, low, high, gain_lower=0.01, gain_upper=0.1):
    return {
        "images": images,
        "more": images - 400,
        "now": 0.64,
        "value": value,
        "lower": low,
        "upper": high,
        "gain_lower": gain_lower,
        "gain_upper": gain_upper,
    }


OVERALL = {
    "now": 0.64,
    "images": 400,
    "tags": 2,
    "exponent": 0.1,
    "expected": [
        expected(900, 0.66, low=0.65, high=0.67),
        expected(800, 0.70, low=0.67, high=0.73),
    ],
    "points": [[50, 0.5], [50, 0.52], [100, 0.57], [400, 0.64]],
}


def tag(now, value, would_help):
    return {"now": now, "value": value, "lower": now, "upper": value, "would_help": would_help}


@pytest.fixture
def foretold(planted):
    names = {name: str(tag_id) for name, tag_id in planted.tags.items()}
    version = version_of(
        planted,
        5,
        trained_images=400,
        tag_metrics={tag_id: {"name": name, "support": 20, "needed": 10} for name, tag_id in names.items()},
    )
    versions.go_live(version)
    return LearningForecast.objects.create(
        project=planted.project,
        version=version,
        images=400,
        judged_on="holdout",
        judged_ids=list(range(60)),
        overall=OVERALL,
        tags={names["dog"]: tag(0.5, 0.6, True), names["boat"]: tag(0.9, 0.9, False)},
        finished_at=timezone.now(),
    )


def test_the_models_page_says_what_is_expected_and_on_what_it_rests(browser_of, cast, foretold, here):
    text = text_of(browser_of(cast.manager).get(here))

    assert "With 500 more reviewed images AP is expected to rise from .64 to .66 (.65 to .67)." in text
    assert "Yes, more reviews still teach it" in text
    assert "AP upwards, reviewed images across" in text
    assert "judged on 60 holdout images" in text
    assert "1 tag: more examples would help; 1 tag: learnt as far as it goes" in text
    assert 'data-value="0.51"' in text, "a mean over the draws of one size"
    assert 'data-value="0.73"' in text


def test_a_tag_that_was_retired_since_is_not_counted(browser_of, cast, planted, foretold, here):
    tag_service.retire(planted.project.tags.get(name="boat"), actor=cast.manager)

    text = text_of(browser_of(cast.manager).get(here))

    assert "1 tag: more examples would help. See" in text


def test_a_versions_page_says_it_tag_by_tag(browser_of, cast, foretold, here):
    text = text_of(browser_of(cast.manager).get(f"{here}{foretold.version_id}/"))

    assert "Would more examples help?" in text
    assert text.index("more examples would help</td>") < text.index("learnt as far as it goes</td>")


def test_the_api_has_it_with_the_version_and_null_without(cast, client_of, planted, foretold):
    models = f"/api/v1/projects/{cast.project.pk}/models/"
    other = version_of(planted, 6)
    client = client_of(cast.manager)

    answer = client.get(f"{models}{foretold.version_id}/").json()["forecast"]

    assert answer["overall"]["expected"][0]["more"] == 500
    assert (answer["judged_on"], answer["judged_images"]) == ("holdout", 60)
    assert answer["tags"][str(planted.tags["dog"])]["would_help"] is True
    assert client.get(f"{models}{other.pk}/").json()["forecast"] is None


@pytest.mark.parametrize(
    ("learnt", "told"),
    [(31, "learnt from 31 of 120 reviewed images"), (200, "No forecast yet")],
)
def test_where_there_is_too_little_the_page_says_so(browser_of, cast, planted, here, learnt, told):
    versions.go_live(version_of(planted, 2, trained_images=learnt))

    assert told in text_of(browser_of(cast.manager).get(here))


def test_an_unfinished_curve_says_how_far_it_is(browser_of, cast, planted, here):
    version = version_of(planted, 2, trained_images=200)
    versions.go_live(version)
    LearningForecast.objects.create(
        **{"project": planted.project, "version": version, "images": 200, "judged_on": "holdout"},
        **{"judged_ids": [1], "points": [{"images": 25, "draw": 0, "tags": {}}]},
    )

    assert "1 of 10 fits are done" in text_of(browser_of(cast.manager).get(here))


def test_a_curve_that_is_flat_advises_to_stop():
    flat = [expected(500, 0.642, low=0.635, high=0.65, gain_upper=0.012)]
    overall = OVERALL | {"expected": flat}

    assert shown.advice(overall).startswith("Hardly")
    assert "expected to stay at .64" in shown.sentence(overall)


def test_a_gain_that_may_be_nothing_is_no_yes():
    unsure = OVERALL | {"expected": [expected(800, 0.70, low=0.61, high=0.73, gain_lower=0.0)]}

    assert shown.advice(OVERALL).startswith("Yes")
    assert shown.advice(unsure) == "Perhaps: more reviews may also bring nothing"


def test_the_overview_leads_to_the_advice_those_who_may_see_it(browser_of, cast, foretold):
    page = f"/projects/{cast.project.pk}/"
    link = f'<a href="{page}models/#forecast-title">Yes, more reviews still teach it</a>'
    make_images(cast.project, 1)

    assert link in text_of(browser_of(cast.manager).get(page))
    assert "more reviews still teach it" not in text_of(browser_of(cast.annotator).get(page))


def test_a_tags_page_says_whether_more_examples_would_help(browser_of, cast, planted, foretold):
    names = {"dog": "More examples would help.", "boat": "Learnt as far as it goes.", "tree": ""}
    manager = browser_of(cast.manager)
    for name, told in names.items():
        page = text_of(manager.get(f"/projects/{cast.project.pk}/tags/{planted.tags[name]}/"))
        learnt = page[page.index("What the model makes of it") :]
        assert "learnt from 20 yes" in learnt and told in learnt
        assert ("Learnt as far" in learnt, "More examples" in learnt) == (name == "boat", name == "dog")


def test_a_forecast_over_a_backbone_that_has_learnt_from_all_answers_says_that_it_is_low(
    browser_of, client_of, cast, foretold, here
):
    manager, version = browser_of(cast.manager), f"{here}{foretold.version_id}/"
    api = f"/api/v1/projects/{cast.project.pk}/models/{foretold.version_id}/"
    told = "Its backbone was fine-tuned on these answers"
    assert all(told not in text_of(manager.get(page)) for page in (here, version))
    assert client_of(cast.manager).get(api).json()["forecast"]["backbone_has_seen_answers"] is False

    Extractor.objects.update(name="tf_efficientnet_lite0@run-3")

    assert all(told in text_of(manager.get(page)) for page in (here, version))
    assert client_of(cast.manager).get(api).json()["forecast"]["backbone_has_seen_answers"] is True
