"""What the programs of `up` are told: here the pool of connections, which only the web may have."""

from pathlib import Path

import pytest

from tagger import supervision
from tagger.layout import Layout


@pytest.fixture
def pools(monkeypatch, tmp_path: Path):
    """Answers the size of each Django program's pool; variables that are None are unset."""

    def of(**variables: str | None) -> dict[str, str]:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        found = supervision.programs(Layout(tmp_path), host="127.0.0.1", port=8000)
        return {
            program.name: program.environment["DATABASE_POOL_SIZE"]
            for program in found
            if program.name not in ("postgres", "redis")
        }

    return of


WORK = ("worker-io", "worker-ml", "worker-train", "beat")


def test_the_web_keeps_a_connection_a_thread_and_one_more(pools):
    assert pools(WEB_THREADS="6", DATABASE_POOL_SIZE=None) == {"web": "7"} | dict.fromkeys(WORK, "0")


def test_a_size_that_is_set_holds_for_the_web_alone(pools):
    assert pools(WEB_THREADS="6", DATABASE_POOL_SIZE="3") == {"web": "3"} | dict.fromkeys(WORK, "0")
