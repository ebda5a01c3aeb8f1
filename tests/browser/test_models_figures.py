"""Pages of the model and of tags in a real browser: figures stay in sight beside long names, on a phone too."""

import pytest
from playwright.sync_api import Locator, expect

from annotations.models import Tag
from mlmodels.core.evaluation.intervals import Interval
from mlmodels.models import Extractor, ModelVersion
from mlmodels.services import whole_project
from mlmodels.services.whole_project import TagShare, WholeProject
from tests.factories import make_cast, make_tags

LONG = "a tag whose name is a sentence about " + "pictures" * 14
PHONE = {"width": 390, "height": 800}


@pytest.fixture
def cast(transactional_db):
    made = make_cast()
    make_tags(made.project, "dog", LONG)
    return made


def hidden_px(scroller: Locator) -> int:
    """How far a box must be scrolled to see all of it."""
    return scroller.evaluate("box => box.scrollWidth - box.clientWidth")


def test_both_versions_and_the_change_fit_on_a_phone(cast, sign_in):
    figures = {
        f"{name}{part}": value
        for name in ("micro_f1", "macro_f1", "macro_average_precision", "corrections", "keystrokes")
        for part, value in (("", 11.11), ("_interval", [11.11, 12.22]))
    }
    extractor = Extractor.objects.create(key="planted", name="planted", dimensions=8)
    for number in (1, 2):
        ModelVersion.objects.create(
            **{"project": cast.project, "number": number, "extractor": extractor, "artifact": f"{number}"},
            **{"artifact_sha256": "0" * 64, "verdict": "promoted", "tag_ids": [], "vocabulary_version": 1},
            **{"trained_images": 60, "trained_reviews": 60, "trained_decisions": 60},
            **{"fingerprint": "f", "metrics": figures | {"judged_on": "training"}},
        )
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/models/compare/", viewport=PHONE)
    table = page.get_by_role("group", name="Figures of both versions")
    expect(table).to_contain_text("11.11 to 12.22")
    assert hidden_px(table) <= 0


@pytest.mark.parametrize("shown", ["tags/", "tags/?tree=1"])
@pytest.mark.parametrize("size", [PHONE, {"width": 1440, "height": 900}], ids=["phone", "wide"])
def test_a_long_tag_does_not_push_figures_out_of_sight(cast, sign_in, shown, size):
    if "tree" in shown:
        Tag.objects.filter(name="dog").update(parent=Tag.objects.get(name=LONG))
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/{shown}", viewport=size)
    expect(page.locator("tbody tr")).to_have_count(2)
    assert hidden_px(page.locator(".tag-table .table-scroll")) <= 0


def test_shares_of_all_images_fit_on_a_phone(cast, sign_in, monkeypatch):
    share = Interval(0.1234, 0.0813, 0.1874)
    told = WholeProject(60, 50, share, share, [TagShare(LONG, share, 0.25), TagShare("dog", share, 0.5)], 2)
    monkeypatch.setattr(whole_project, "estimate", lambda project_id: told)
    page = sign_in(cast.admin, f"/projects/{cast.project.pk}/models/asking/", viewport=PHONE)
    table = page.get_by_role("group", name="Tags by how many images show them")
    expect(table.get_by_role("row", name="dog")).to_contain_text("8 to 19 %")
    assert hidden_px(table) <= 0
