"""The broker closes intraday positions: when, how, and what is refused afterwards."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.fakes import (
    CALENDAR,
    DAY,
    FUTURE,
    INFY,
    SBIN,
    SESSIONS,
    Desk,
    Times,
    limit,
    order,
    quote_of,
    scaled,
)
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import Side
from trading.domain.square_off import MARGIN, Subject, square_off_plan
from trading.domain.timezone import at_ist
from trading.exchange.market.prints import Print
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.square_off_times import SquareOffTimes

BUY, SELL = Side.BUY, Side.SELL
CAS, EQUITY, DERIVATIVE = InstrumentClass.EQUITY_CAS, InstrumentClass.EQUITY, InstrumentClass.DERIVATIVE


def step(desk: Desk, moment: time) -> None:
    """Come to a moment and let everything be matched that follows."""
    desk.times.go_to(moment, desk.market.day)
    desk.venue.on_quotes([])
    desk.venue.match_pending()


def by_broker(desk: Desk, user_id: str = "AB1001") -> list[Order]:
    return [one for one in desk.venue.books.accounts[user_id].orders.values() if one.kind.placed_by]


def net(desk: Desk, product: str = "MIS", token: int = INFY.token) -> int:
    return desk.venue.books.accounts["AB1001"].net_quantity(token, product)


def test_open_orders_end_first_then_the_position_is_closed_by_an_order_that_is_the_brokers() -> None:
    desk = Desk(times=Times(time(15, 10)))
    desk.trade(order(BUY, 10, tag="IN"))
    target, stop = (
        desk.venue.books.orders[desk.trade(one)]
        for one in (
            limit(SELL, 10, 1600, tag="T"),
            limit(SELL, 10, 1400, order_type="SL", trigger_price=1450, tag="S"),
        )
    )
    delivery = desk.trade(limit(BUY, 5, 1400, product="CNC", tag="KEEP"))

    step(desk, time(15, 14, 29))
    before = net(desk)
    step(desk, time(15, 14, 30))

    [closing] = by_broker(desk)
    assert (before, net(desk)) == (10, 0)
    assert [one.status.value for one in (target, stop, closing)] == ["CANCELLED", "CANCELLED", "COMPLETE"]
    assert "before it squares positions off" in str(target.message)
    assert (closing.side, closing.tag, closing.api_key, closing.kind.placed_by) == (SELL, "", "", "RMS")
    assert desk.venue.books.orders[delivery].status == "OPEN"
    truth = desk.venue.ledger_truth()["AB1001"]["orders"]
    assert [row.get("placed_by") for row in truth] == [None, None, None, None, "RMS"]


@pytest.mark.parametrize("moment", [time(15, 14, 30), time(15, 14, 59)])
@pytest.mark.parametrize("request_", [order(), limit(BUY, 1, 1490, variety="co", product="MIS", trigger_price=1480)])
def test_no_new_intraday_order_is_taken_afterwards(moment: time, request_: Any) -> None:
    desk = Desk(times=Times(moment))

    with pytest.raises(Refusal, match="markets are not open for intraday orders any more"):
        desk.place(request_)
    desk.place(order(product="CNC"))
    desk.place(order(BUY, 75, instrument=FUTURE))


def test_a_cover_order_is_squared_off_with_its_entry_and_its_stop() -> None:
    desk = Desk(times=Times(time(15, 10)))
    desk.tick(quote_of(INFY, 1500, asks=((1500, 6),)))
    entry = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1500, variety="co", product="MIS", trigger_price=1480))]
    desk.venue.match_pending()
    held = net(desk, "CO")

    step(desk, time(15, 14, 30))

    stop = next(one for one in desk.venue.books.orders.values() if one.kind.parent_order_id == entry.order_id)
    assert (held, net(desk, "CO")) == (6, 0)
    assert (entry.status.value, stop.status.value) == ("CANCELLED", "CANCELLED")
    assert [one.product for one in by_broker(desk)] == ["CO"]


def test_a_short_future_is_bought_back_at_its_own_time_in_slices_of_the_freeze_quantity() -> None:
    desk = Desk(times=Times(time(15, 10)))
    desk.venue.books.accounts["AB1001"].cash = scaled(100_000_000)
    for quantity in (1800, 1200):
        desk.trade(order(SELL, quantity, instrument=FUTURE, tag=f"S{quantity}"))

    step(desk, time(15, 24, 59))
    before = net(desk, token=FUTURE.token)
    step(desk, time(15, 25))

    assert (before, net(desk, token=FUTURE.token)) == (-3000, 0)
    assert [(one.side, one.filled) for one in by_broker(desk)] == [(BUY, 1800), (BUY, 1200)]


def test_what_the_book_does_not_fill_follows_the_market_until_it_is_flat_and_is_never_sent_twice() -> None:
    desk = Desk(times=Times(time(15, 14)))
    desk.trade(order(BUY, 100))
    desk.tick(quote_of(INFY, 1500, bids=((1500, 40),)))
    step(desk, time(15, 14, 30))
    first = net(desk)

    for second, price in ((31, 1480), (32, 1470)):
        desk.times.go_to(time(15, 14, second))
        desk.tick(quote_of(INFY, price, bids=((price, 30),)))
        desk.venue.match_pending()

    assert first == 60
    assert net(desk) == 0
    [closing] = by_broker(desk)
    assert (closing.status.value, closing.filled) == ("COMPLETE", 100)


def test_what_is_left_at_the_end_of_continuous_trading_goes_into_the_closing_auction() -> None:
    desk = Desk(times=Times(time(15, 14)))
    desk.trade(order(BUY, 100))
    desk.tick(quote_of(INFY, 1500, bids=()))
    for moment in (time(15, 14, 30), time(15, 15), time(15, 20), time(15, 21)):
        step(desk, moment)
    waiting = net(desk)

    at = int(at_ist(DAY, time(15, 32)).timestamp() * 1000)
    desk.market.prints[INFY.token] = [Print(scaled(1500), 10_000, at)]
    step(desk, time(15, 32))

    assert (waiting, net(desk)) == (100, 0)


def test_each_order_of_the_broker_costs_fifty_rupees_and_gst() -> None:
    desk = Desk(times=Times(time(15, 14)))
    for instrument in (INFY, SBIN):
        desk.trade(order(BUY, 10, instrument=instrument, tag=instrument.tradingsymbol))
    plain = {name: Decimal(value) for name, value in desk.venue.charges_of_the_day()["AB1001"].items()}
    by_client = Desk(times=Times(time(15, 14)))
    for instrument in (INFY, SBIN):
        by_client.trade(order(BUY, 10, instrument=instrument, tag=instrument.tradingsymbol))
        by_client.trade(order(SELL, 10, instrument=instrument, tag=f"X{instrument.tradingsymbol}"))

    step(desk, time(15, 14, 30))

    found = desk.venue.charges_of_the_day()["AB1001"]
    same = by_client.venue.charges_of_the_day()["AB1001"]
    assert "square_off" not in plain
    assert "square_off" not in same
    assert found["square_off"] == "100"
    assert Decimal(found["total"]) - Decimal(same["total"]) == Decimal(118)
    assert Decimal(found["gst"]) - Decimal(same["gst"]) == Decimal(18)


def test_it_can_be_moved_and_switched_off_and_a_restart_keeps_the_wish(tmp_path: Path) -> None:
    desk = Desk(tmp_path, times=Times(time(15, 0)))
    desk.trade(order(BUY, 10))
    report = desk.venue.set_square_off({"at": {"equity_cas": "15:05:00"}})
    desk.venue.set_square_off({"enabled": False})
    step(desk, time(15, 5))
    held = net(desk)
    desk.venue.close()

    desk = Desk(tmp_path, market=desk.market, times=desk.times)
    step(desk, time(15, 6))
    still = net(desk)
    desk.venue.set_square_off({"enabled": True})
    step(desk, time(15, 7))

    assert report == {
        "enabled": True,
        "at": {"equity_cas": "15:05:00", "equity": "15:20:00", "derivative": "15:25:00"},
    }
    assert (held, still, net(desk)) == (10, 10, 0)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"on": True}, "must be enabled or at, was 'on'"),
        ({"enabled": 1}, "enabled must be true or false, was 1"),
        ({"at": {"bonds": "15:00"}}, "at must be times by class"),
        ({"at": {"equity": "soon"}}, "at must be HH:MM:SS by class"),
        ({"enabled": False, "at": 3}, "at must be times by class"),
    ],
)
def test_a_bad_wish_is_refused_and_changes_nothing(wish: dict[str, Any], words: str) -> None:
    desk = Desk()
    before = desk.venue.set_square_off({})

    with pytest.raises(ValueError, match=words):
        desk.venue.set_square_off(wish)
    assert desk.venue.set_square_off({}) == before


def test_the_broker_can_square_one_user_off_at_any_moment_in_one_instrument() -> None:
    desk = Desk(times=Times(time(11, 0)))
    for instrument in (INFY, SBIN):
        for user_id in ("AB1001", "AB1002"):
            desk.trade(order(BUY, 10, instrument=instrument, tag=instrument.tradingsymbol), user_id)

    desk.venue.by_hand.close_positions("AB1001", "NSE:INFY", "MIS")

    assert [one.status.value for one in by_broker(desk)] == ["COMPLETE"]
    assert (net(desk), net(desk, token=SBIN.token)) == (0, 10)
    assert by_broker(desk, "AB1002") == []
    desk.place(order(BUY, 1))


def test_a_restart_between_the_brokers_order_and_its_fill_ends_in_the_same_ledger(tmp_path: Path) -> None:
    def day(desk: Desk, *, is_killed: bool) -> str:
        desk.trade(order(BUY, 10, tag="IN"))
        desk.times.go_to(time(15, 14, 30))
        desk.venue.on_quotes([])
        if is_killed:
            desk.venue.close()
            desk = Desk(desk.state_dir, market=desk.market, times=desk.times)
        desk.venue.on_quotes([])
        desk.venue.match_pending()
        assert (len(by_broker(desk)), net(desk)) == (1, 0)
        return desk.venue.ledger_hash()

    undisturbed = day(Desk(tmp_path / "one", times=Times(time(15, 14))), is_killed=False)

    assert day(Desk(tmp_path / "other", times=Times(time(15, 14))), is_killed=True) == undisturbed


@pytest.mark.parametrize(
    ("day", "instrument_class", "at"),
    [
        (date(2026, 7, 31), CAS, "15:20:00"),
        (DAY, CAS, "15:14:30"),
        (DAY, EQUITY, "15:20:00"),
        (DAY, DERIVATIVE, "15:25:00"),
        (date(2026, 12, 7), CAS, "15:20:00"),
        (date(2024, 5, 18), CAS, "12:20:00"),
        (date(2026, 11, 8), CAS, "19:05:00"),
    ],
)
def test_the_time_is_that_of_the_days_row(day: date, instrument_class: InstrumentClass, at: str) -> None:
    moment = SquareOffTimes(SESSIONS).moment(instrument_class, day)

    assert f"{moment:%H:%M:%S}" == at


@pytest.mark.parametrize("day", [date(2026, 7, 31), DAY, date(2026, 12, 7)])
@pytest.mark.parametrize("instrument_class", [CAS, EQUITY, DERIVATIVE])
def test_our_own_square_off_at_its_default_time_is_flat_before_the_brokers(
    day: date, instrument_class: InstrumentClass
) -> None:
    plan = square_off_plan(CALENDAR, day, Subject(instrument_class, frozenset({"paper"})), time(15, 15))
    moment = SquareOffTimes(SESSIONS).moment(instrument_class, day)

    assert moment is not None
    assert plan.flat_by + MARGIN <= moment < CALENDAR.session(day, instrument_class).continuous_end
