"""Values that a thread works out ahead: the same, in order, and never left behind."""

import threading

import pytest

from annotations.services import read_ahead as module
from annotations.services.read_ahead import read_ahead


def numbers(count, *, said=None, fails_at=None):
    try:
        for number in range(count):
            if number == fails_at:
                raise ValueError("broken here")
            if said is not None:
                said.append((number, threading.get_ident()))
            yield number
    finally:
        if said is not None:
            said.append(("closed", threading.get_ident()))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_every_value_comes_once_and_in_order(count):
    assert list(read_ahead(numbers(count))) == list(range(count))


def test_a_failure_comes_where_it_happened():
    coming = read_ahead(numbers(9, fails_at=4))
    assert [next(coming) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="broken here"):
        next(coming)


def test_one_thread_begins_works_and_ends_even_when_nobody_wants_the_rest():
    said: list = []
    coming = read_ahead(numbers(1_000, said=said))
    assert next(coming) == 0
    coming.close()
    assert said[-1][0] == "closed"
    assert len({thread for _, thread in said}) == 1
    assert threading.get_ident() not in {thread for _, thread in said}


def test_little_is_read_before_it_is_wanted():
    said: list = []
    coming = read_ahead(numbers(1_000, said=said))
    taken = [next(coming) for _ in range(10)]
    coming.close()
    assert len([number for number, _ in said if number != "closed"]) <= len(taken) + module._AHEAD


def test_the_caller_says_how_to_wait():
    waits = []

    def result(future):
        waits.append(True)
        return future.result()

    assert list(read_ahead(numbers(5), result=result)) == [0, 1, 2, 3, 4]
    assert len(waits) == 6
