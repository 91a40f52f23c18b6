"""Environment variables: what is junk is refused, never guessed."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured

from algosystem import env

Setter = Callable[[str], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Setter:
    def give(value: str) -> None:
        monkeypatch.setenv("ALGO_TEST", value)

    return give


@pytest.mark.parametrize(("word", "expected"), [("1", True), ("TRUE", True), ("0", False), ("false", False)])
def test_a_flag_reads_the_four_words(given: Setter, word: str, expected: bool) -> None:
    given(word)

    assert env.flag("ALGO_TEST", default=not expected) is expected


@pytest.mark.parametrize("word", ["yes", "on", "2", "no", "y"])
def test_a_flag_refuses_anything_else(given: Setter, word: str) -> None:
    given(word)

    with pytest.raises(ImproperlyConfigured, match=f"ALGO_TEST must be 1, 0, true or false, was '{word}'"):
        env.flag("ALGO_TEST", default=False)


def test_an_empty_variable_counts_as_not_set(given: Setter) -> None:
    given("  ")

    assert env.flag("ALGO_TEST", default=True) is True
    assert env.integer("ALGO_TEST", 7, low=1, high=9) == 7
    assert env.words("ALGO_TEST", ["a"]) == ["a"]
    with pytest.raises(ImproperlyConfigured, match="ALGO_TEST must be set: it is needed"):
        env.required("ALGO_TEST", why="it is needed")


@pytest.mark.parametrize("word", ["0", "10", "1.5", "one"])
def test_a_number_outside_its_range_is_refused(given: Setter, word: str) -> None:
    given(word)

    with pytest.raises(ImproperlyConfigured, match="from 1 to 9"):
        env.integer("ALGO_TEST", 5, low=1, high=9)


def test_a_choice_must_be_one_of_its_options(given: Setter) -> None:
    given("Live")

    with pytest.raises(ImproperlyConfigured, match="one of live, demo, was 'Live'"):
        env.choice("ALGO_TEST", "live", ("live", "demo"))


def test_a_list_with_a_hole_is_refused(given: Setter) -> None:
    given("a,,b")

    with pytest.raises(ImproperlyConfigured, match="single commas"):
        env.words("ALGO_TEST", [])


def test_a_refused_address_does_not_show_its_password(given: Setter) -> None:
    given("http://user:hunter2hunter2@host/0")

    with pytest.raises(ImproperlyConfigured) as refused:
        env.url("ALGO_TEST", None, schemes=("redis",))

    assert "redis://" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["http://127.0.0.1:8901", "http://localhost:1"])
def test_an_address_on_this_machine_is_taken(given: Setter, value: str) -> None:
    given(value)

    assert env.loopback_url("ALGO_TEST", schemes=("http",)) == value


@pytest.mark.parametrize("value", ["http://api.kite.trade", "http://127.0.0.1.example.com:80", "http://10.0.0.1:1"])
def test_an_address_elsewhere_is_refused_where_only_this_machine_may_be_meant(given: Setter, value: str) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured, match="ALGO_TEST must be an address on this machine"):
        env.loopback_url("ALGO_TEST", schemes=("http",))
