"""`manage.py sample_project`: the whole sample without a worker."""

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Project, User


def test_it_draws_the_scenes_here_and_now(db, capsys):
    User.objects.create_user("boss", is_staff=True)
    call_command("sample_project", count=3)
    project = Project.objects.get(name="Sample scenes")
    assert project.images.count() == 3
    assert f"Project {project.pk} “Sample scenes” of boss." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"user": "nobody"}, "Nobody signs in as “nobody”"),
        ({"count": 0}, "expected at least 1, got 0"),
        ({}, "There is no admin"),
    ],
)
def test_what_is_wrong_is_said(db, options, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("sample_project", **options)


def test_who_may_not_create_projects_is_refused(cast):
    with pytest.raises(CommandError, match="Projects are created by managers and admins"):
        call_command("sample_project", user="outsider", count=1)
