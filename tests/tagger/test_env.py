"""Environment helpers: defaults, good values, and errors that name the variable."""

from pathlib import Path

import pytest

from tagger import env


def test_unset_variables_give_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROBE", raising=False)
    assert env.integer("PROBE", 7, minimum=0) == 7
    assert env.flag("PROBE", default=True) is True
    assert env.items("PROBE", ("a",)) == ["a"]
    assert env.path("PROBE", Path("/x")) == Path("/x")
    assert env.database("PROBE") is None


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("ON", True), ("false", False), ("No", False)])
def test_flags_read_the_usual_words(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("PROBE", value)
    assert env.flag("PROBE", default=not expected) is expected


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_a_bad_flag_names_the_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PROBE", value)
    with pytest.raises(env.BadSettingError, match=f"PROBE: expected yes or no .* got '{value}'"):
        env.flag("PROBE")


@pytest.mark.parametrize("value", ["abc", "1.5", "0", "70000"])
def test_a_bad_port_names_the_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(env.BadSettingError, match="PORT"):
        env.integer("PORT", 8000, minimum=1, maximum=65535)


def test_a_number_that_is_too_small_is_told_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE", "0")
    with pytest.raises(env.BadSettingError, match=r"a whole number of at least 1, got '0'"):
        env.integer("PROBE", 2, minimum=1)


def test_a_choice_outside_the_list_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE", "loud")
    with pytest.raises(env.BadSettingError, match="one of quiet, normal"):
        env.choice("PROBE", "quiet", ("quiet", "normal"))


def test_networks_are_read_and_a_bad_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE", "10.20.0.0/16, fd00:12::/32,127.0.0.1")
    assert [str(network) for network in env.networks("PROBE")] == [
        "10.20.0.0/16",
        "fd00:12::/32",
        "127.0.0.1/32",
    ]
    monkeypatch.setenv("PROBE", "10.20.0.0/16,10.0.0.1/8")
    with pytest.raises(env.BadSettingError, match=r"PROBE: expected networks .* got '10\.0\.0\.1/8'"):
        env.networks("PROBE")


def test_a_database_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss@db.example:5433/tagger?sslmode=require")
    assert env.database("DATABASE_URL") == {
        "NAME": "tagger",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    "url", ["mysql://u:hidden@h/db", "postgresql://u:hidden@h", "postgresql://u:hidden@h:x/db"]
)
def test_a_bad_database_address_does_not_show_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(env.BadSettingError) as caught:
        env.database("DATABASE_URL")
    assert "hidden" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


def test_a_secret_key_is_made_once_and_is_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file = tmp_path / "deep" / "secret_key"
    first = env.secret_key("SECRET_KEY", file)
    assert len(first) >= 50
    assert env.secret_key("SECRET_KEY", file) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file = tmp_path / "secret_key"
    file.write_text("")
    with pytest.raises(env.BadSettingError, match="SECRET_KEY"):
        env.secret_key("SECRET_KEY", file)
