"""Import by table in Chromium, with and without script: choose, map, look again, import; whole on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from annotations import tasks
from annotations.models import ImportJob
from tests.browser.conftest import picture_bytes
from tests.browser.test_every_page import _TOO_WIDE, NARROW, WIDE

TABLE = (
    "Datei;Text;Schlagworte;Kamera;" + ";".join(f"Spalte {number}" for number in range(12)) + "\n"
    "a.jpg;Ein Hund läuft am Strand entlang;Hund|Strand|" + "|".join(f"Wort {n}" for n in range(9)) + ";X100\n"
    + "ohne-" + "x" * 90 + ".jpg;;;\n"
    + ";ohne Bild;;\n"
)  # fmt: skip


@pytest.fixture
def sent(tmp_path):
    """A table with a picture, as a person chooses them."""
    table, picture = tmp_path / "urlaub.csv", tmp_path / "a.jpg"
    table.write_text(TABLE, encoding="utf-8")
    picture.write_bytes(picture_bytes(1))
    return table, picture


@pytest.fixture
def looked_at(scene, sign_in, sent):
    """The page after the table was sent, with its columns mapped."""

    def opened(**options):
        page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/import/table/", **options)
        page.get_by_label("Table", exact=True).set_input_files(str(sent[0]))
        page.get_by_label("Images, or one archive").set_input_files(str(sent[1]))
        page.get_by_role("button", name="Look at the table").click()
        for column, target in (("Text", "Caption"), ("Schlagworte", "Tags"), ("Kamera", "Metadata")):
            page.get_by_label(column, exact=True).select_option(label=target)
        page.get_by_role("button", name="Look again").click()
        expect(page.get_by_role("row", name="a.jpg Ein Hund")).to_contain_text("Kamera: X100")
        return page

    return opened


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_table_is_mapped_and_imported(scene, looked_at, script):
    page = looked_at(viewport=WIDE, java_script_enabled=script)
    expect(page.get_by_label("Datei", exact=True)).to_have_value("path")
    expect(page.get_by_text("urlaub.csv, row 4, column “Datei”")).to_be_visible()
    assert not ImportJob.objects.exists()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Import report")).to_be_visible()
    job = ImportJob.objects.get()
    tasks.run_import(job.pk)
    (item,) = job.items.all()
    assert (item.caption, item.metadata) == ("Ein Hund läuft am Strand entlang", {"Kamera": "X100"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(looked_at, theme):
    page = looked_at(viewport=WIDE, color_scheme=theme, bypass_csp=True)
    found = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == []


@pytest.mark.parametrize("size", NARROW)
def test_nothing_sticks_out(looked_at, size):
    assert looked_at(viewport=NARROW[size]).evaluate(_TOO_WIDE) == []
