"""The table of alarms, and when two alarms are one cause."""

import pytest

from trading.domain.alarms import Severity, Tells, alarm_kinds, cause_of, kind_of


@pytest.mark.parametrize("code", sorted(alarm_kinds()))
def test_every_alarm_says_what_happened_what_it_means_and_what_to_do(code: str) -> None:
    kind = kind_of(code)

    assert all(len(words) >= 8 and not words.endswith(" ") for words in (kind.title, kind.means, kind.do))
    assert not kind.title.endswith(".")
    assert kind.means.endswith(".")
    assert kind.do.endswith(".")
    assert "!" not in kind.title + kind.means + kind.do
    assert kind.page
    assert kind.button


def test_an_alarm_that_has_no_row_is_critical_and_for_everybody_concerned() -> None:
    kind = kind_of("SOMETHING_NEW")

    assert (kind.severity, kind.tells, kind.title) == (Severity.CRITICAL, Tells.BOTH, "Something new")


def test_the_same_words_with_other_numbers_are_one_cause() -> None:
    first = cause_of("exit of 25 NSE:INFY failed: 3 of 1,500.05 at 15:09:01")
    second = cause_of("exit of 100 NSE:INFY failed: 4 of 1,499.90 at 15:09:31")

    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cannot exit 25 NSE:INFY", "cannot exit 25 NSE:TCS"),
        ("cannot exit 75 NFO:NIFTY26NOV25000CE", "cannot exit 75 NFO:NIFTY26NOV25100CE"),
        ("kite:AB1001 must be signed in", "kite:AB1002 must be signed in"),
        ("NFO:BANKNIFTY-26-50000 rests", "NFO:BANKNIFTY-26-51000 rests"),
    ],
)
def test_another_instrument_or_account_is_another_cause(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)
