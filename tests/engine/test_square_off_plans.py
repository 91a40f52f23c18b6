"""When the square-off starts: it follows what is open, the rate budget and the broker's own time."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side
from trading.domain.slicing import most_units
from trading.domain.timezone import at_ist, to_ist
from trading.engine.round_trips import LEAST, MOST, RoundTrips
from trading.engine.square_off_plans import PlannedSquareOff


def planned(stage: Stage) -> list[PlannedSquareOff]:
    client = stage.session.house.clients[1]
    return stage.session.square_off_plans.now(client)


def times(stage: Stage) -> list[tuple[str, str]]:
    return [(f"{to_ist(one.plan.start):%H:%M:%S}", f"{to_ist(one.plan.flat_by):%H:%M:%S}") for one in planned(stage)]


def hold_by_hand(stage: Stage, count: int) -> None:
    for number in range(count):
        key = f"NFO:OPTION{number:04}"
        stage.broker.prices[key] = Decimal(100)
        stage.broker.trade_by_hand(key, Side.BUY, 75)


@pytest.mark.proves("F61", "F62")
async def test_every_moment_to_be_flat_at_has_its_own_start_and_the_last_covers_everything(stage: Stage) -> None:
    contract = Instrument(
        "NFO", "NIFTY26NOV25000CE", 111, Decimal("0.05"), 75, InstrumentType.CE, "NFO-OPT", expiry=DAY
    )
    stage.client(square_off_at=time(15, 30), no_new_entry_after=time(15, 0))
    for instrument in (
        GILLETTE,
        INFY,
        contract,
        replace(contract, tradingsymbol="NEXT", token=112, expiry=date(2026, 12, 1)),
    ):
        stage.plan(instrument)
    await stage.start()

    assert times(stage) == [("15:10:00", "15:14:00"), ("15:15:00", "15:19:30"), ("15:20:00", "15:24:30")]
    assert [one.is_whole for one in planned(stage)] == [False, False, True]


async def test_with_many_positions_the_start_moves_before_the_client_s_time_as_they_are_filled(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    assert times(stage)[-1] == ("15:15:00", "15:16:00")

    hold_by_hand(stage, 300)
    await stage.at("11:00:00", 40.0)

    # 600 calls are two whole minutes' budgets, then 2 s round trip, 14 s to re-price, 5 s to verify.
    assert times(stage)[-1] == ("15:13:39", "15:16:00")
    (moved,) = stage.events("SQUARE_OFF_MOVED")
    assert "closing what is open takes about 141 s" in moved.data["text"]
    await stage.at("15:13:38", 1.0)
    assert stage.sent() == []
    await stage.at("15:13:39", 0.5)
    assert len(stage.sent()) == 8


async def test_shares_held_for_delivery_are_no_work_of_a_square_off(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    stage.broker.prices["NSE:TCS"] = Decimal(100)
    stage.broker.trade_by_hand("NSE:TCS", Side.BUY, 5, "CNC")

    await stage.at("11:00:00", 40.0)

    assert [one.orders for one in planned(stage)] == [0] * len(planned(stage))


async def test_slices_of_one_position_take_their_round_trips_one_after_the_other(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    most = most_units("NFO:NIFTY26NOV25000CE", None, DAY)
    assert most is not None
    stage.broker.prices["NFO:NIFTY26NOV25000CE"] = Decimal(100)
    stage.broker.trade_by_hand("NFO:NIFTY26NOV25000CE", Side.BUY, 30 * most)

    await stage.at("11:00:00", 40.0)

    # 60 calls in 8 s, 30 round trips of 2 s, 14 s to re-price, 5 s to verify.
    assert times(stage)[-1] == ("15:14:33", "15:16:00")
    assert planned(stage)[-1].orders == 30


async def test_what_is_due_first_is_done_before_the_rest_begins(stage: Stage) -> None:
    """One budget serves both: 300 contracts would begin while the auction's stocks are still being closed."""
    stage.client()
    stage.plan(INFY)
    await stage.start()
    hold_by_hand(stage, 300)
    for number in range(10):
        stage.broker.prices[f"NSE:S{number}"] = Decimal(100)
        stage.broker.trade_by_hand(f"NSE:S{number}", Side.BUY, 1)

    await stage.at("11:00:00", 40.0)

    first, rest = planned(stage)
    assert rest.plan.start < first.plan.flat_by
    assert first.plan.start + first.needed <= rest.plan.start


def test_a_round_trip_is_nine_of_ten_orders_of_today_within_bounds() -> None:
    trips = RoundTrips()
    assert trips.slow == LEAST

    for seconds in (1, 1, 1, 1, 1, 1, 1, 1, 7, 9):
        trips.add(timedelta(seconds=seconds))
    assert trips.slow == timedelta(seconds=9)
    for _ in range(50):
        trips.add(timedelta(minutes=5))
    assert trips.slow == MOST


async def test_the_engine_measures_its_own_orders(stage: Stage) -> None:
    stage.client().script.append("rest")
    stage.plan(GILLETTE)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    stage.clock.set_ist("09:15:05")

    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.settle(0.5)

    assert stage.session.round_trips.slow == timedelta(seconds=4)


@pytest.mark.proves("F51", "I6", "I18")
async def test_an_engine_that_comes_up_after_the_deadline_calls_a_person_within_ten_seconds(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    stage.broker.prices[GILLETTE.key] = Decimal(100)
    stage.broker.trade_by_hand(GILLETTE.key, Side.BUY, 5)
    await stage.stop()
    stage.clock.set_ist("15:17:00")
    stage.broker.script.extend(["rest"] * 9)
    await stage.start(holder="second")

    await stage.at("15:17:10", 0.5)
    await stage.at("15:18:10", 0.5)

    late = [text for _, code, text in stage.store.alarms if code == "NOT_FLAT"]
    assert [("+5 NSE:GILLETTE" in text, "not flat by 15:16:00" in text) for text in late] == [(True, True)] * 2
    assert at_ist(DAY, time(15, 16)) == planned(stage)[-1].plan.flat_by
