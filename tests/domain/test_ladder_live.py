"""What the vectors do not cover: real fills, exits from outside, capital sizing, restarts, the idle band."""

import json
from decimal import Decimal

import pytest

from tests.domain.ladders import make_ladder, tick, words
from trading.domain.ladder_events import Entry, Skipped, SquareOff, Stop, TargetReached
from trading.domain.ladder_levels import LadderSide
from trading.domain.ladder_state import NEVER
from trading.domain.money import to_scaled
from trading.domain.orders import Side


def test_an_entry_tells_the_order_side_of_its_ladder_side() -> None:
    assert (LadderSide.LONG.entry_side, LadderSide.LONG.exit_side) == (Side.BUY, Side.SELL)
    assert (LadderSide.SHORT.entry_side, LadderSide.SHORT.exit_side) == (Side.SELL, Side.BUY)


def test_bookings_follow_what_was_really_filled() -> None:
    ladder = make_ladder(quantity=100)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.entry_filled(37)
    first, _ = tick(ladder, "108.60")
    second, _ = tick(ladder, "109.10")

    assert isinstance(first, TargetReached)
    assert isinstance(second, TargetReached)
    assert (first.quantity, second.quantity) == (3, 4)  # floor(3.7), floor(7.4) - 3
    assert ladder.open_quantity == 30


def test_a_booking_counts_whole_lots_of_a_partly_filled_entry() -> None:
    ladder = make_ladder(quantity=250, lot_size=25)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.entry_filled(130)  # five lots and a bit: the bit leaves with the last exit
    events = tick(ladder, "113.10")

    booked = [event.quantity for event in events if isinstance(event, TargetReached)]
    assert booked == [0, 25, 0, 25, 0, 25, 0, 25, 0, 30]
    assert ladder.position_side is None


def test_a_fill_of_less_than_a_lot_books_nothing_early_and_leaves_whole() -> None:
    ladder = make_ladder(quantity=25, lot_size=25)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.entry_filled(10)
    target, trail = tick(ladder, "108.60")
    (stop,) = tick(ladder, "108.10")

    assert isinstance(target, TargetReached)
    assert (target.quantity, trail.word) == (0, "TRAIL")
    assert isinstance(stop, Stop)
    assert stop.quantity == 10


def test_targets_booked_before_the_entry_was_final_are_taken_off() -> None:
    ladder = make_ladder(quantity=100)
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "109.10")  # T1 and T2: 20 booked of 100

    ladder.entry_filled(60)

    assert ladder.open_quantity == 40


def test_an_entry_that_filled_less_than_was_booked_leaves_nothing_open() -> None:
    ladder = make_ladder(quantity=100)
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "109.10")

    ladder.entry_filled(15)

    assert ladder.position_side is None
    assert ladder.entries(LadderSide.LONG) == 1


@pytest.mark.parametrize("trigger", ["cross", "level"])
def test_an_entry_that_came_to_nothing_may_be_tried_again_after_the_side_is_armed_anew(trigger: str) -> None:
    ladder = make_ladder(trigger=trigger)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.entry_filled(0)
    at_once = tick(ladder, "108.15")
    tick(ladder, "108.05")
    again = tick(ladder, "108.10")

    assert ladder.entries(LadderSide.LONG) == 1
    assert at_once == ()
    assert words(again) == ["ENTRY"]


def test_a_position_closed_from_outside_is_not_exited_again() -> None:
    ladder = make_ladder(max_entries_per_side=2)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.closed()

    assert tick(ladder, "103") == ()
    assert words(tick(ladder, "108.10")) == ["ENTRY"]  # armed at 103 while flat: the second entry of the day


def test_the_open_quantity_follows_a_booking_that_filled_in_part() -> None:
    ladder = make_ladder()
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "108.60")

    ladder.open_corrected(10)
    (stop,) = tick(ladder, "108.10")

    assert isinstance(stop, Stop)
    assert stop.quantity == 10


def test_a_report_about_a_closed_position_changes_nothing() -> None:
    ladder = make_ladder()
    before = ladder.snapshot()

    ladder.entry_filled(0)
    ladder.open_corrected(5)
    ladder.closed()

    assert ladder.snapshot() == before


def test_after_a_scheduled_square_off_no_tick_does_anything() -> None:
    ladder = make_ladder(max_entries_per_side=5)
    tick(ladder, "108")
    tick(ladder, "108.10")

    ladder.end_day()

    assert tick(ladder, "100") == ()
    assert tick(ladder, "108.10") == ()
    assert ladder.bounds() == (-NEVER, NEVER)


def test_capital_decides_the_quantity_at_the_price_of_the_entry_tick() -> None:
    asked: list[Decimal] = []

    def sizer(price: Decimal) -> int:
        asked.append(price)
        return int(Decimal(1100) // price)

    ladder = make_ladder(quantity=sizer)
    tick(ladder, "108")
    (entry,) = tick(ladder, "108.35")

    assert isinstance(entry, Entry)
    assert entry.quantity == 10
    assert asked[-1] == Decimal("108.35")


def test_capital_that_buys_too_few_lots_at_the_entry_price_skips_the_entry() -> None:
    # Enough for 10 at the short entry 100.90, but only for 9 at 108.10.
    ladder = make_ladder(quantity=lambda price: int(Decimal(1050) // price), min_lots=10, trigger="level")

    (skipped,) = tick(ladder, "108.10")

    assert isinstance(skipped, Skipped)
    assert skipped.reason == "too_few_lots"
    assert tick(ladder, "108.10") == ()
    assert ladder.entries(LadderSide.LONG) == 0


def test_capital_below_one_lot_at_every_entry_level_is_not_traded() -> None:
    ladder = make_ladder(quantity=lambda price: int(Decimal(100) // price))

    assert ladder.not_traded is not None
    assert ladder.not_traded.reason == "too_few_lots"


@pytest.mark.proves("F02", "F63")
def test_a_tick_of_another_day_is_ignored() -> None:
    ladder = make_ladder(trigger="level")
    price = to_scaled(Decimal("108.10"))

    assert ladder.on_tick(36_000 - 86_400, price) == ()
    assert ladder.on_tick(36_000 + 86_400, price) == ()
    assert words(ladder.on_tick(36_000, price)) == ["ENTRY"]


def test_the_square_off_takes_all_that_is_open_and_ends_the_day() -> None:
    ladder = make_ladder(max_entries_per_side=2)
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "108.60")

    (event,) = tick(ladder, "103", "15:15:00")

    assert isinstance(event, SquareOff)
    assert event.quantity == 9
    assert tick(ladder, "108", "15:15:01") == ()


# -- the idle band -------------------------------------------------------------------------------------------------


def test_flat_and_unarmed_the_band_lies_between_the_prices_that_arm() -> None:
    # A price below 108.10 arms the long side, one above 100.90 the short side: there is no idle price.
    low, high = make_ladder().bounds()

    assert low >= high


def test_a_side_that_is_not_armed_bounds_the_band_by_the_first_price_that_arms_it() -> None:
    above, below = make_ladder(), make_ladder()
    tick(above, "108.10")  # arms the short side only
    tick(below, "100.90")  # arms the long side only

    assert above.bounds() == (to_scaled(Decimal("108.10")) - 1, NEVER)
    assert below.bounds() == (-NEVER, to_scaled(Decimal("100.90")) + 1)


def test_armed_on_both_sides_the_band_lies_between_the_entry_levels() -> None:
    ladder = make_ladder()
    tick(ladder, "105")

    assert ladder.bounds() == (to_scaled(Decimal("100.90")), to_scaled(Decimal("108.10")))


def test_with_a_position_the_band_lies_between_stop_and_next_target() -> None:
    ladder = make_ladder()
    tick(ladder, "105")
    tick(ladder, "108.10")

    at_entry = ladder.bounds()
    tick(ladder, "108.60")
    after_t1 = ladder.bounds()

    assert at_entry == (to_scaled(Decimal("103.10")), to_scaled(Decimal("108.60")))
    assert after_t1 == (to_scaled(Decimal("108.10")), to_scaled(Decimal("109.10")))


def test_after_the_entry_cut_off_a_flat_ladder_has_nothing_left_to_do() -> None:
    ladder = make_ladder()
    tick(ladder, "105", "15:00:00")

    assert ladder.bounds() == (-NEVER, NEVER)


def test_an_instrument_that_is_not_traded_has_nothing_to_do() -> None:
    assert make_ladder(high="100").bounds() == (-NEVER, NEVER)


# -- restart -------------------------------------------------------------------------------------------------------


def test_a_restart_goes_on_with_position_targets_and_stop() -> None:
    ladder = make_ladder()
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "109.10")

    restarted = make_ladder()
    restarted.restore(json.loads(json.dumps(ladder.snapshot())))

    assert restarted.snapshot() == ladder.snapshot()
    assert (restarted.position_side, restarted.open_quantity, restarted.targets_reached) == (LadderSide.LONG, 8, 2)
    assert restarted.stop == to_scaled(Decimal("108.60"))
    assert words(tick(restarted, "108.60")) == ["STOP"]


def test_a_price_that_armed_another_range_has_not_armed_this_one() -> None:
    ladder = make_ladder()
    tick(ladder, "108")
    same, other = make_ladder(), make_ladder(high="108", low="98")

    for later in (same, other):
        later.restore(ladder.snapshot())

    assert words(tick(same, "108.10")) == ["ENTRY"]
    assert words(tick(other, "106.30")) == []  # beyond the other range's B of 106.10, but never below it
    tick(other, "106.00")
    assert words(tick(other, "106.10")) == ["ENTRY"]


@pytest.mark.proves("I25")
def test_a_stop_never_loosens_even_where_a_restart_computed_lower_levels() -> None:
    ladder = make_ladder()
    tick(ladder, "108")
    tick(ladder, "108.10")
    tick(ladder, "109.60")  # k 3, stop 109.10

    restarted = make_ladder(high="109")  # today's range was corrected meanwhile: now Y5 is 108.65
    restarted.restore(ladder.snapshot())
    tick(restarted, "109.15")

    assert restarted.targets_reached == 4
    assert restarted.stop == to_scaled(Decimal("109.10"))


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {"version": 2},
        {"version": 1, "ended": False, "sides": {}, "position": None},
        {"version": 1, "ended": False, "sides": None, "position": None},
    ],
)
def test_a_snapshot_of_something_else_is_refused(snapshot: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="ladder snapshot"):
        make_ladder().restore(snapshot)


def test_a_position_cannot_be_restored_where_nothing_is_traded() -> None:
    ladder = make_ladder()
    tick(ladder, "108")
    tick(ladder, "108.10")

    with pytest.raises(ValueError, match="where nothing is traded"):
        make_ladder(high="100").restore(ladder.snapshot())
