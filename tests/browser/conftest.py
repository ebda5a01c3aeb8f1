"""A real Chromium before a live server, and a project whose pictures, captions and suggestions are known."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client
from PIL import Image as Picture
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from annotations import draw_shares
from annotations.models import Image, Project, User
from annotations.services import live_model, storage, suggestions
from annotations.types import SuggestionRow
from tests.chromium import installed
from tests.factories import Cast, make_cast, make_images, make_tags

expect.set_options(timeout=20_000)  # a bound for a machine with a lot to do, as in `tests.reviewer`

HERE = Path(__file__).parent
WORDS = ("boat", "dog", "hill", "lake", "tree")
CAPTION = "A dog under a tree beside the lake, with no boat in sight."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A second try, for browser, server and workers share the cores of the machine. Twice in a row is a defect."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass(frozen=True)
class Scene:
    """A project ready to review: every image says `caption`; `lake` and `dog` are offered, the rest are weak."""

    cast: Cast
    project: Project
    tags: dict[str, int]
    images: list[Image]
    caption: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright's loop runs in this thread; Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=installed(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture
def scene(request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Scene:
    caption = getattr(request, "param", CAPTION)
    # No blind slots: which image comes blind is drawn by chance, and these tests read the chips.
    monkeypatch.setattr(draw_shares, "BLIND_SHARE", 0.0)
    cast = make_cast(holdout_percent=0)
    tags = make_tags(cast.project, *WORDS)
    images = make_images(cast.project, 14, caption=caption)
    for index, image in enumerate(images):
        storage.put(image.storage_key, picture_bytes(index))
    stored = list(Image.objects.filter(project=cast.project).order_by("id"))
    made = Scene(cast, cast.project, tags, stored, caption)
    go_live(made, number=1, offered=("lake", "dog"))
    return made


@pytest.fixture
def sign_in(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """Opens a page as a user; an error of its scripts or a breach of the policy fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_as(user: User, path: str, **options: object) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    _wait_for_the_last_request()
    assert errors == []


def _wait_for_the_last_request() -> None:
    """A page that polls may leave a request behind, which must not meet the emptying of the database."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=10)


def reach_by_plain_http(page: Page) -> None:
    """The page again, as a machine of the local network sees it: no secure origin, hence no `crypto.randomUUID`."""
    page.add_init_script("delete Crypto.prototype.randomUUID")
    page.reload()


def picture_bytes(index: int, *, size: tuple[int, int] = (640, 480)) -> bytes:
    stream = io.BytesIO()
    Picture.new("RGB", size, (40 + 12 * index, 90, 200 - 10 * index)).save(stream, "JPEG")
    return stream.getvalue()


def go_live(scene: Scene, *, number: int, offered: tuple[str, ...]) -> None:
    """Publish a model version that offers these tags on every image."""
    suggestions.store(scene.project.pk, [_row(scene, image, number, offered) for image in scene.images])
    live_model.publish(
        scene.project.pk, version_id=number, number=number, provisional=False, metrics={}, tags={}
    )


def _row(scene: Scene, image: Image, number: int, offered: tuple[str, ...]) -> SuggestionRow:
    names = [*offered, *(word for word in WORDS if word not in offered)]
    return SuggestionRow(
        image_id=image.pk,
        tag_ids=[scene.tags[name] for name in names],
        scores=[round(0.9 - 0.15 * place, 2) for place in range(len(names))],
        offered_ids=[scene.tags[name] for name in offered],
        sources=[_sources(name, scene.caption) for name in names],
        calibrated=True,
        model_version_id=number,
        model_number=number,
        vocabulary_version=scene.project.vocabulary_version,
    )


def _sources(name: str, caption: str) -> list[dict[str, object]]:
    pixels: dict[str, object] = {"kind": "vision", "score": 0.5}
    start = caption.find(name)
    if start < 0:
        return [pixels]
    cue = caption.find("with no") if name == "boat" else None
    evidence = {
        "start": start,
        "end": start + len(name),
        "text": name,
        "rule": "exact",
        "negated": cue is not None,
        "cue_start": cue,
        "cue_end": cue + len("with no") if cue is not None else None,
    }
    return [pixels, {"kind": "caption", "score": 0.8, "evidence": evidence}]
