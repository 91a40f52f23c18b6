"""The tighter of two caps counts, raises are told from the rest, and repetitions are counted."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import TEN_O_CLOCK
from trading.domain.caps import HOUSE, OWN, Cap, Entered, HouseCaps, is_raise, repeats, tighter

CAPS = HouseCaps(entries_a_ladder=4, same_side_entries=2, same_side_seconds=60)


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, Cap(10, HOUSE)), (10, Cap(10, HOUSE)), (11, Cap(10, HOUSE)), (9, Cap(9, OWN)), (0, Cap(0, OWN))],
)
def test_the_tighter_cap_counts_and_says_whose_it_is(own: int | None, expected: Cap[int]) -> None:
    assert tighter(own, 10) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(5, 6, True), (5, None, True), (5, 5, False), (5, 4, False), (None, 5, False), (None, None, False)],
)
def test_a_raise_lets_more_pass_than_before(old: int | None, new: int | None, *, expected: bool) -> None:
    assert is_raise(old, new) is expected


def test_the_houses_own_caps_bound_everything() -> None:
    assert HouseCaps().problems() == {}


@pytest.mark.parametrize("name", [name for name in HouseCaps.__slots__ if name != "needs_algo_id"])
def test_a_cap_of_nothing_is_no_cap(name: str) -> None:
    nothing: dict[str, Any] = {name: 0}

    assert list(replace(HouseCaps(), **nothing).problems()) == [name]


def test_a_collar_that_lets_everything_pass_is_none() -> None:
    assert "collar_percent" in replace(HouseCaps(), collar_percent=Decimal(100)).problems()


def entered(position: int, sign: int, seconds_ago: float) -> Entered:
    return Entered(position, sign, TEN_O_CLOCK - timedelta(seconds=seconds_ago))


def why(entries: list[Entered], *, sign: int = 1, now: datetime = TEN_O_CLOCK, own: int | None = None) -> str:
    return repeats(entries, sign=sign, now=now, caps=CAPS, own=own) or ""


def test_the_entries_of_a_ladder_are_counted_over_the_day() -> None:
    entries = [entered(number, 1, 3600 * number) for number in range(1, 5)]

    assert why(entries[:3]) == ""
    assert why(entries) == "4 entries of this ladder today, the limit is 4 (the house's)"
    assert why(entries[:3], own=3) == "3 entries of this ladder today, the limit is 3 (the client's)"


def test_the_same_side_again_and_again_within_a_minute_is_a_repetition() -> None:
    assert why([entered(1, 1, 59.9), entered(2, 1, 5)]).startswith("2 entries on one side within 60 s")
    assert why([entered(1, 1, 60), entered(2, 1, 5)]) == ""
    assert why([entered(1, -1, 10), entered(2, 1, 5)]) == ""
    assert why([entered(1, -1, 10), entered(2, -1, 5)], sign=1) == ""


def test_the_slices_of_one_entry_are_one_entry() -> None:
    assert why([entered(1, 1, 5)] * 4) == ""
