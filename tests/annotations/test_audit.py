"""The audit trail: every action that the code records has a sentence, names in it come in bulk, what is gone shows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations import audit_words
from annotations.audit_words import KINDS, SENTENCES, Names
from annotations.models import AuditEvent, ImportJob, Project, Tag
from annotations.selectors import audit as trail
from annotations.services import audit, bulk, exports, flags, image_edits, imports, projects, proposals, tags
from annotations.services import jobs as job_services
from annotations.types import ProposalSpec, SnapshotRef
from mlmodels.services import policy, runs
from tests.annotations.trails import new_image
from tests.factories import make_images, make_tags

ROOT = Path(__file__).resolve().parents[2]
NOTHING = Names(tags={}, images={}, flagged={})


class Source:
    """The functions and calls of annotations and mlmodels, to follow an action's name from where it is written."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, ast.FunctionDef | None, ast.Call]] = []
        for path in sorted([*ROOT.glob("annotations/**/*.py"), *ROOT.glob("mlmodels/**/*.py")]):
            self._walk(path, ast.parse(path.read_text(encoding="utf-8")), None)

    def _walk(self, path: Path, node: ast.AST, inside: ast.FunctionDef | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                self.calls.append((path, inside, child))
            self._walk(path, child, child if isinstance(child, ast.FunctionDef) else inside)

    def recorded(self) -> dict[str, str]:
        """Each action that is recorded, and where its name is written."""
        found = {}
        for path, inside, call in self.calls:
            if ast.unparse(call.func) == "audit.record":
                found |= dict(self._said(path, inside, call.args[1]))
        return found

    def _said(self, path: Path, inside: ast.FunctionDef | None, value: ast.expr) -> Iterator[tuple[str, str]]:
        """The texts that a value can be: itself, or what callers hand in for the parameter that it names."""
        if isinstance(value, ast.Constant):
            yield value.value, f"{path.relative_to(ROOT)}:{value.lineno}"
        elif isinstance(value, ast.Name) and inside is not None:
            yield from self._handed_in(path, inside, value.id)
        else:
            raise AssertionError(
                f"{path}:{value.lineno}: write the action as a text, so that it can be found"
            )

    def _handed_in(self, path: Path, function: ast.FunctionDef, parameter: str) -> Iterator[tuple[str, str]]:
        places = [one.arg for one in function.args.args]
        for caller, inside, call in self.calls:
            name = ast.unparse(call.func)
            if name != function.name and not name.endswith(f".{function.name}"):
                continue
            if function.name.startswith("_") and caller != path:
                continue
            named = [word.value for word in call.keywords if word.arg == parameter]
            yield from self._said(caller, inside, (named or [call.args[places.index(parameter)]])[0])


RECORDED = Source().recorded()


@pytest.mark.parametrize("action", sorted(RECORDED))
def test_each_action_that_the_code_records_has_a_sentence(action):
    assert action in SENTENCES, f"{RECORDED[action]} records {action}: give it a sentence in audit_words.py"


@pytest.mark.parametrize(
    "action",
    ["projects.create", "tags.revive", "flags.resolve", "proposals.adopt", "imports.cancel", "images.bulk"],
)
def test_the_search_finds_actions_written_in_place_and_handed_in(action):
    assert action in RECORDED


def test_no_sentence_tells_of_what_nobody_records():
    assert set(SENTENCES) - set(RECORDED) == set()


@pytest.mark.parametrize("action", SENTENCES)
def test_each_sentence_stands_without_details_and_belongs_to_one_kind(action):
    said = audit_words.sentence(action, {}, NOTHING)
    assert said and not re.search(r"[{}]|None", said)
    assert sum(action.split(".")[0] in kind.areas for kind in KINDS.values()) == 1


def sentences(project: Project) -> list[str]:
    """Of all events, oldest first."""
    return [event.sentence for event in reversed(trail.told(project, list(trail.listing(project))))]


def last(project: Project) -> str:
    return sentences(project)[-1]


class TestSentences:
    def test_of_members(self, cast):
        projects.set_member(cast.membership(cast.admin), "second", "reviewer")
        assert last(cast.project) == "made second a reviewer"
        projects.set_member(cast.membership(cast.admin), "second", "annotator")
        assert last(cast.project) == "made second an annotator"
        projects.remove_member(cast.membership(cast.admin), "second")
        assert last(cast.project) == "removed second from the project"

    def test_of_tags(self, cast):
        make_tags(cast.project, "dog")
        assert last(cast.project) == "made the tag “dog”"
        make_tags(cast.project, "a", "b", "c", "d", "e")
        assert last(cast.project) == "made 5 tags: “a”, “b”, “c” and 2 more"
        dog = Tag.objects.get(name="dog")
        tags.update(dog, {"name": "hound"}, actor=cast.manager)
        assert last(cast.project) == "changed the tag “dog”, now “hound”"
        tags.update(dog, {"description": "Barks."}, actor=cast.manager)
        assert last(cast.project) == "changed the tag “hound”"
        tags.retire(dog, actor=cast.manager)
        assert last(cast.project) == "retired the tag “hound”"
        tags.revive(dog, actor=cast.manager)
        assert last(cast.project) == "brought back the tag “hound”"

    def test_of_proposed_words(self, cast):
        make_tags(cast.project, "wave")
        wave = Tag.objects.get(name="wave")
        words = ("surf", "kite", "sea")
        proposals.replace_open(cast.project.pk, [ProposalSpec("tag", word, None, 3, {}) for word in words])
        surf, kite, sea = (cast.project.proposals.get(text=word) for word in words)
        proposals.adopt(surf, actor=cast.manager)
        assert last(cast.project) == "made a tag of the proposed word “surf”"
        proposals.adopt_as_alias(sea, wave, actor=cast.manager)
        assert last(cast.project) == "made the proposed word “sea” another word for the tag “wave”"
        proposals.dismiss(kite, actor=cast.manager)
        assert last(cast.project) == "dismissed the proposed word “kite”"
        proposals.restore(kite, actor=cast.manager)
        assert last(cast.project) == "opened the proposed word “kite” again"

    def test_of_images_and_flags(self, cast):
        image = new_image(cast)
        changes = {"caption": "A dog.", "metadata": {"camera": "old"}}
        image_edits.update(cast.project, image.pk, 1, changes, actor=cast.manager)
        assert last(cast.project) == "changed the caption and metadata of “picture-0000.jpg”"
        flag = flags.raise_flag(cast.project, image.pk, comment="See.", actor=cast.annotator)
        assert last(cast.project) == "flagged “picture-0000.jpg”"
        flags.answer(flag, text="Yes.", actor=cast.reviewer)
        assert last(cast.project) == "replied to the flag of “picture-0000.jpg”"
        flags.resolve(flag, actor=cast.reviewer)
        assert last(cast.project) == "resolved the flag of “picture-0000.jpg”"
        flags.reopen(flag, actor=cast.reviewer)
        assert last(cast.project) == "opened the flag of “picture-0000.jpg” again"
        image_edits.trash(cast.project, image.pk, actor=cast.manager)
        assert last(cast.project) == "moved “picture-0000.jpg” to the trash"

    def test_of_actions_on_many_images(self, cast):
        make_tags(cast.project, "dog", "cat")
        make_images(cast.project, 3)
        manager = cast.membership(cast.manager)
        bulk.start(manager, filter={}, add=["dog"], remove=["cat"], queue=True)
        assert last(cast.project) == (
            "said yes to “dog” and no to “cat” on 3 images, and sent them to the front of the queue"
        )
        bulk.start(manager, filter={}, queue=True)
        assert last(cast.project) == "sent 3 images to the front of the queue"
        job = bulk.start(manager, filter={}, delete=True)
        assert last(cast.project) == "moved 3 images to the trash"
        bulk.cancel(manager, job)
        assert last(cast.project) == "stopped an action on 3 images"
        bulk.undo(manager, job)
        assert last(cast.project) == "took back an action on 3 images"

    def test_of_the_model(self, cast):
        run = runs.request(cast.project.pk, actor_id=cast.admin.pk)
        assert last(cast.project) == "started training"
        runs.cancel(run, actor_id=cast.admin.pk)
        assert last(cast.project) == "stopped training"
        ref = SnapshotRef(id=7, name="May", sha256="0" * 64)
        runs.request(cast.project.pk, actor_id=cast.admin.pk, snapshot=ref)
        assert last(cast.project) == "started training from the snapshot “May”"
        policy.update(cast.project.pk, {"every_reviews": 5, "paused": True}, actor_id=cast.admin.pk)
        assert last(cast.project) == "changed the training policy: after every 5 reviews, paused"
        audit.record(cast.project.pk, "models.activate", actor_id=None, number=5)
        assert last(cast.project) == "put model v5 live"
        audit.record(cast.project.pk, "models.fall_back", actor_id=None, number=4, problem="head: short")
        assert last(cast.project) == "put model v4 live again, as the file of the live version cannot be read"

    def test_of_the_project_and_its_files(self, cast):
        projects.update(cast.membership(cast.manager), {"keep_gps": True, "name": "Outside"})
        assert last(cast.project) == "changed the settings: keep gps and name"
        job = exports.start(cast.project, actor=cast.manager, format="csv")
        assert last(cast.project) == "started an export as csv"
        exports.cancel(job, actor=cast.manager)
        assert last(cast.project) == "stopped an export as csv"
        job = ImportJob.objects.create(project=cast.project, source="upload", total=1)
        imports.cancel(job, actor=cast.manager)
        assert last(cast.project) == "stopped an import of one image"


def test_stopping_twice_is_told_once(cast):
    job = exports.start(cast.project, actor=cast.manager, format="csv")
    held = job_services.claim(type(job), job.pk)
    assert held is not None
    for person in (cast.manager, cast.admin):
        exports.cancel(held, actor=person)
    told = AuditEvent.objects.filter(action="exports.cancel")
    assert [event.actor for event in told] == [cast.manager]


def test_what_the_policy_asks_for_is_left_to_its_ledger(cast):
    runs.request(cast.project.pk, trigger="policy")
    assert not AuditEvent.objects.filter(action="training.start").exists()


def test_a_run_that_waits_already_is_not_started_again(cast):
    for _ in range(2):
        runs.request(cast.project.pk, actor_id=cast.admin.pk)
    assert AuditEvent.objects.filter(action="training.start").count() == 1


def test_an_unknown_action_shows_as_it_is_called(cast):
    audit.record(cast.project.pk, "snapshots.frozen_for_good", actor_id=cast.admin.pk, name="May")
    assert last(cast.project) == "snapshots: frozen for good"


def test_what_is_gone_breaks_nothing(cast):
    ids = make_tags(cast.project, "dog")
    image = new_image(cast)
    tags.retire(Tag.objects.get(pk=ids["dog"]), actor=cast.manager)
    flag = flags.raise_flag(cast.project, image.pk, comment="See.", actor=cast.annotator)
    flags.answer(flag, text="Yes.", actor=cast.reviewer)
    image.delete()
    Tag.objects.get(pk=ids["dog"]).delete()
    cast.annotator.delete()
    assert sentences(cast.project)[-3:] == [
        "retired a tag that is gone",
        "flagged an image that is gone",
        "replied to the flag of an image that is gone",
    ]
    assert trail.told(cast.project, list(trail.listing(cast.project)))[1].actor is None


def test_names_of_another_project_are_not_told(cast):
    elsewhere = Project.objects.get(name="Elsewhere")
    secret = make_tags(elsewhere, "secret")["secret"]
    audit.record(cast.project.pk, "tags.retire", actor_id=cast.admin.pk, tag=secret)
    assert last(cast.project) == "retired a tag that is gone"
