"""Invitations by the services: given within one's right, used exactly once, gone when used, taken back or expired."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict, DomainError, NotFound, RoleTooLow
from annotations.models import AuditEvent, Invitation, Membership, Project, User
from annotations.selectors import audit as trail
from annotations.selectors import invitations as selector
from annotations.services import invitations, projects
from tests.factories import Cast, make_cast

PASSWORD = "a long enough secret"


def invite(cast: Cast, *, by: User | None = None, role: str = "annotator", note: str = "") -> str:
    """The token of a new invitation."""
    return invitations.create(cast.membership(by or cast.manager), role=role, note=note)[1]


def role_of(cast: Cast, user: User) -> str | None:
    return Membership.objects.filter(project=cast.project, user=user).values_list("role", flat=True).first()


def told(cast: Cast) -> list[tuple[str | None, str]]:
    events = trail.listing(cast.project, actions=["invitations"])
    return [(event.actor, event.sentence) for event in reversed(trail.told(cast.project, list(events)))]


class TestMaking:
    def test_only_a_hash_of_the_token_is_stored(self, cast):
        token = invite(cast, note="Ada")
        row = Invitation.objects.values().get()
        assert token not in str(row) and row["token_sha256"] == selector.digest(token)
        assert token not in str(list(AuditEvent.objects.values()))

    def test_it_is_valid_for_seven_days(self, cast):
        invite(cast)
        left = Invitation.objects.get().expires_at - timezone.now()
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)

    @pytest.mark.parametrize("who", ["annotator", "reviewer"])
    def test_who_may_not_add_members_may_not_invite(self, cast, who):
        with pytest.raises(RoleTooLow):
            invite(cast, by=getattr(cast, who))

    def test_a_manager_invites_managers_and_no_admins(self, cast):
        invite(cast, role="manager")
        with pytest.raises(RoleTooLow):
            invite(cast, role="admin")
        invite(cast, by=cast.admin, role="admin")
        assert sorted(Invitation.objects.values_list("role", flat=True)) == ["admin", "manager"]

    def test_nonsense_is_refused(self, cast):
        with pytest.raises(BadInput, match="no role"):
            invite(cast, role="king")
        with pytest.raises(BadInput, match="at most 100"):
            invite(cast, note="x" * 101)

    def test_so_many_are_open_at_most(self, cast, monkeypatch):
        monkeypatch.setattr(invitations, "OPEN_MOST", 2)
        invite(cast)
        first = Invitation.objects.get()
        invite(cast)
        with pytest.raises(Conflict, match="Take some back"):
            invite(cast)
        invitations.revoke(cast.membership(cast.manager), first.pk)
        invite(cast)


class TestJoining:
    def test_a_stranger_joins_with_the_role(self, cast):
        token = invite(cast, role="reviewer", note="Ada")
        invitations.accept(token, actor=cast.outsider)
        assert role_of(cast, cast.outsider) == "reviewer"
        row = Invitation.objects.get()
        assert row.used_by == cast.outsider and selector.state(row) == "used"
        assert told(cast) == [
            ("manager", "invited “Ada” as a reviewer"),
            ("outsider", "accepted an invitation of manager and is a reviewer now"),
        ]

    def test_it_works_once(self, cast):
        token = invite(cast)
        invitations.accept(token, actor=cast.outsider)
        with pytest.raises(Conflict, match="works once") as refused:
            invitations.accept(token, actor=User.objects.create_user("late"))
        assert refused.value.code == "invitation_used"

    def test_a_new_account_has_the_invitations_right_and_no_other(self, cast):
        token = invite(cast, by=cast.admin, role="admin")
        user = invitations.accept_with_account(token, name="ada", password=PASSWORD)
        assert user.check_password(PASSWORD) and role_of(cast, user) == "admin"
        assert not user.is_staff and not user.is_superuser and not user.user_permissions.exists()

    @pytest.mark.parametrize(
        ("name", "password", "code"),
        [
            ("ada", "12345678", "bad_password"),
            ("ada", "short", "bad_password"),
            ("adalovelace", "adalovelace", "bad_password"),
            ("a b", PASSWORD, "bad_account"),
            ("Manager", PASSWORD, "user_exists"),
            ("audit", PASSWORD, "bad_account"),
        ],
    )
    def test_a_refused_account_leaves_the_invitation_open(self, cast, name, password, code):
        token = invite(cast)
        people = User.objects.count()
        with pytest.raises(DomainError) as refused:
            invitations.accept_with_account(token, name=name, password=password)
        assert refused.value.code == code
        assert User.objects.count() == people and selector.state(Invitation.objects.get()) == "open"

    def test_a_spent_link_makes_no_account(self, cast):
        token = invite(cast)
        invitations.accept(token, actor=cast.outsider)
        with pytest.raises(Conflict):
            invitations.accept_with_account(token, name="ada", password=PASSWORD)
        assert not User.objects.filter(username="ada").exists()

    def test_a_member_keeps_the_higher_role_and_the_link_stays_open(self, cast):
        token = invite(cast, role="annotator")
        invitations.accept(token, actor=cast.reviewer)
        assert role_of(cast, cast.reviewer) == "reviewer"
        assert selector.state(Invitation.objects.get()) == "open"

    def test_a_member_rises_to_a_higher_role(self, cast):
        token = invite(cast, role="manager")
        invitations.accept(token, actor=cast.reviewer)
        assert role_of(cast, cast.reviewer) == "manager"
        assert selector.state(Invitation.objects.get()) == "used"

    def test_an_unknown_link_is_not_found(self, cast):
        invite(cast)
        with pytest.raises(NotFound):
            invitations.accept("guessed", actor=cast.outsider)

    def test_nobody_joins_a_project_in_the_trash(self, cast):
        token = invite(cast)
        projects.trash(cast.membership(cast.admin))
        with pytest.raises(NotFound):
            invitations.accept(token, actor=cast.outsider)

    def test_an_expired_link_is_over(self, cast):
        token = invite(cast)
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        with pytest.raises(Conflict, match="7 days") as refused:
            invitations.accept(token, actor=cast.outsider)
        assert refused.value.code == "invitation_expired" and role_of(cast, cast.outsider) is None

    def test_a_manager_who_left_has_left_no_way_back(self, cast):
        token = invite(cast)
        projects.remove_member(cast.membership(cast.admin), "manager")
        with pytest.raises(Conflict) as refused:
            invitations.accept(token, actor=cast.manager)
        assert refused.value.code == "invitation_void"

    def test_an_admins_invitation_of_an_admin_falls_with_the_admin(self, cast):
        boss = cast.membership(cast.admin)
        projects.set_member(boss, "manager", "admin")
        to_admin, to_annotator = (invite(cast, role=role) for role in ("admin", "annotator"))
        projects.set_member(boss, "manager", "manager")
        with pytest.raises(Conflict, match="may not give this role"):
            invitations.accept(to_admin, actor=cast.outsider)
        invitations.accept(to_annotator, actor=cast.outsider)
        assert role_of(cast, cast.outsider) == "annotator"


class TestTakingBack:
    def test_its_link_is_over(self, cast):
        token = invite(cast, note="Ada")
        invitations.revoke(cast.membership(cast.manager), Invitation.objects.get().pk)
        with pytest.raises(Conflict, match="taken back") as refused:
            invitations.accept(token, actor=cast.outsider)
        assert refused.value.code == "invitation_revoked"
        assert told(cast)[-1] == ("manager", "took back the invitation of “Ada” as an annotator")

    def test_twice_is_a_conflict(self, cast):
        invite(cast)
        for expected in (None, "invitation_revoked"):
            try:
                invitations.revoke(cast.membership(cast.manager), Invitation.objects.get().pk)
            except Conflict as error:
                assert error.code == expected
            else:
                assert expected is None

    def test_an_invitation_of_an_admin_is_for_admins(self, cast):
        invite(cast, by=cast.admin, role="admin")
        with pytest.raises(RoleTooLow):
            invitations.revoke(cast.membership(cast.manager), Invitation.objects.get().pk)

    def test_another_projects_is_not_found(self, cast):
        elsewhere = Project.objects.get(name="Elsewhere")
        boss = Membership.objects.select_related("project", "user").get(project=elsewhere)
        made, _ = invitations.create(boss, role="annotator")
        with pytest.raises(NotFound):
            invitations.revoke(cast.membership(cast.admin), made.pk)


class Racer(threading.Thread):
    """Tries to use a link with a connection of its own; `outcome` is None, or the code of the refusal."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act, self.outcome = act, "not run"

    def run(self) -> None:
        try:
            self.act()
            self.outcome = None
        except DomainError as error:
            self.outcome = error.code
        finally:
            connection.close()


def race(project: Project, *acts: Callable[[], object]) -> list[str | None]:
    """Let all of them come as far as the project's lock, then go at once."""
    racers = [Racer(act) for act in acts]
    with transaction.atomic():
        projects.locked(project)
        for racer in racers:
            racer.start()
        _wait_until_waiting(len(racers))
    for racer in racers:
        racer.join(timeout=10)
    return sorted((racer.outcome for racer in racers), key=str)


def _wait_until_waiting(count: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] == count:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the project's lock: joining at once is not in turn")


def test_of_two_people_at_once_one_joins(transactional_db):
    cast = make_cast()
    late = User.objects.create_user("late")
    token = invite(cast)
    outcomes = race(
        cast.project,
        lambda: invitations.accept(token, actor=cast.outsider),
        lambda: invitations.accept(token, actor=late),
    )
    assert outcomes == [None, "invitation_used"]
    assert [role_of(cast, cast.outsider), role_of(cast, late)].count("annotator") == 1


def test_of_two_new_accounts_at_once_one_is_made(transactional_db):
    cast = make_cast()
    token = invite(cast)
    outcomes = race(
        cast.project,
        lambda: invitations.accept_with_account(token, name="ada", password=PASSWORD),
        lambda: invitations.accept_with_account(token, name="bob", password=PASSWORD),
    )
    assert outcomes == [None, "invitation_used"]
    assert User.objects.filter(username__in=["ada", "bob"]).count() == 1


def test_joining_and_taking_back_at_once_come_in_turn(transactional_db):
    cast = make_cast()
    token, manager = invite(cast), cast.membership(cast.manager)
    outcomes = race(
        cast.project,
        lambda: invitations.accept(token, actor=cast.outsider),
        lambda: invitations.revoke(manager, Invitation.objects.get().pk),
    )
    joined = role_of(cast, cast.outsider) is not None
    assert outcomes == [None, "invitation_used" if joined else "invitation_revoked"]
