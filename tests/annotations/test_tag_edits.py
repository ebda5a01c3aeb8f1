"""Edits and retirements of tags, taken back."""

import pytest

from annotations.errors import Conflict
from annotations.models import TagChange
from annotations.services import tags
from tests.annotations.surgery import tag, undo, words_of
from tests.factories import make_tags


def test_an_edit_is_taken_back_whole(cast):
    make_tags(cast.project, "cliff", "land")
    asked = {"name": "crag", "aliases": ["bluff"], "hotkey": "k", "parent": "land", "description": "Steep."}
    tags.update(tag(cast, "cliff"), asked, actor=cast.manager)
    undone = undo(cast, "crag")
    assert (undone.name, undone.hotkey, undone.parent, undone.description) == ("cliff", None, None, "")
    assert words_of(cast, "cliff") == []
    assert TagChange.objects.get().undone_by == cast.manager


def test_an_edit_without_a_change_leaves_nothing_to_undo(cast):
    make_tags(cast.project, "cliff")
    tags.update(tag(cast, "cliff"), {"name": "cliff"}, actor=cast.manager)
    assert not TagChange.objects.exists()


def test_a_name_that_was_taken_meanwhile_is_said_when_a_rename_is_taken_back(cast):
    make_tags(cast.project, "cliff")
    tags.update(tag(cast, "cliff"), {"name": "crag"}, actor=cast.manager)
    make_tags(cast.project, "cliff")
    with pytest.raises(Conflict) as refused:
        undo(cast, "crag")
    assert refused.value.code == "tag_exists"
    assert tag(cast, "crag").name == "crag" and TagChange.objects.get().undone_at is None


def test_a_retirement_is_taken_back_by_undo_or_revive_once(cast):
    make_tags(cast.project, "cliff", "rock")
    for name in ("cliff", "rock"):
        tags.retire(tag(cast, name), actor=cast.manager)
    undo(cast, "cliff")
    tags.revive(tag(cast, "rock"), actor=cast.manager)
    assert not cast.project.tags.exclude(retired_at=None).exists()
    assert not TagChange.objects.filter(undone_at=None).exists()


def test_a_tag_that_was_retired_before_changes_were_kept_is_brought_back(cast):
    make_tags(cast.project, "cliff")
    tags.retire(tag(cast, "cliff"), actor=cast.manager)
    TagChange.objects.all().delete()
    assert undo(cast, "cliff").retired_at is None
