"""The closing auction at the desk, on both sides of its change of 2026-12-07, and the post-close session."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, SESSIONS, Desk, FakeMarket, Times, limit, order, quote_of, scaled
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.exchange.market.prints import Print
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL
LATER = date(2026, 12, 7)
PLAIN = Instrument("NSE", "GILLETTE", 378625, INFY.tick_size, 1, name="GILLETTE")


def at_ms(moment: time, day: date = DAY) -> int:
    return int(at_ist(day, moment).timestamp() * 1000)


def stage(moment: time, day: date = DAY, state_dir: Path | None = None) -> Desk:
    """A desk at a moment; 1,000 shares changed hands at 1500 in the last minutes of continuous trading."""
    market = FakeMarket(day)
    market.instruments[PLAIN.token] = PLAIN
    market.put(quote_of(PLAIN, 1500))
    end = SESSIONS.calendar.session(day, InstrumentClass.EQUITY_CAS).continuous_end
    market.prints[INFY.token] = [Print(scaled(1500), 1_000, int(end.timestamp() - 60) * 1000)]
    desk = Desk(state_dir, market=market, times=Times(moment, day))
    desk.venue.on_quotes([])
    return desk


def go_to(desk: Desk, moment: time) -> None:
    desk.times.go_to(moment, desk.market.day)
    desk.venue.on_quotes([])


def close(desk: Desk, price: str | int = 1505, quantity: int = 50_000, moment: time = time(15, 32)) -> None:
    desk.market.prints[INFY.token].append(Print(scaled(price), quantity, at_ms(moment, desk.market.day)))
    desk.times.go_to(moment, desk.market.day)
    desk.tick(quote_of(INFY, price))


@pytest.mark.parametrize(
    ("day", "moment", "words"),
    [
        (DAY, time(15, 15), "the closing auction takes none until 15:20"),
        (DAY, time(15, 29, 59), "the closing auction takes none until 15:3"),
        (DAY, time(15, 31), "the closing auction takes none until 15:35"),
        (DAY, time(15, 36), "not open for trading today"),
        (LATER, time(15, 30), "the closing auction takes none until 15:31"),
        (LATER, time(15, 41), "the closing auction takes none until 15:42"),
        (LATER, time(15, 43), "not open for trading today"),
    ],
)
def test_outside_its_entry_no_order_is_taken(day: date, moment: time, words: str) -> None:
    desk = stage(moment, day)

    with pytest.raises(Refusal, match=words):
        desk.place(limit(BUY, 1, 1500, product="CNC"))


@pytest.mark.parametrize(
    ("day", "moment", "order_type", "is_taken"),
    [
        (DAY, time(15, 14, 59), "SL", True),
        (DAY, time(15, 20), "MARKET", True),
        (DAY, time(15, 20), "SL", False),
        (DAY, time(15, 25), "MARKET", False),
        (DAY, time(15, 25), "LIMIT", True),
        (LATER, time(15, 29, 59), "SL", True),
        (LATER, time(15, 31), "MARKET", True),
        (LATER, time(15, 36), "MARKET", False),
        (LATER, time(15, 36), "LIMIT", True),
    ],
)
def test_the_days_rows_say_which_orders_are_taken(day: date, moment: time, order_type: str, is_taken: bool) -> None:
    desk = stage(moment, day)
    request = order(BUY, 10, product="CNC", order_type=order_type)
    if order_type != "MARKET":
        prices = {"price": Decimal(1510), "trigger_price": Decimal(1505), "protection": None}
        request = order(BUY, 10, product="CNC", order_type=order_type, **prices)

    if not is_taken:
        with pytest.raises(Refusal, match=f"{order_type} orders are not allowed in this part of the closing auction"):
            desk.place(request)
        return
    assert desk.venue.books.orders[desk.trade(request)].status.value in ("OPEN", "TRIGGER PENDING", "COMPLETE")


@pytest.mark.parametrize(("price", "words"), [(1545.05, "upper circuit limit of 1545.00"), (1454.95, "lower circuit")])
def test_a_limit_beyond_three_percent_of_the_reference_is_refused(price: float, words: str) -> None:
    desk = stage(time(15, 21))

    with pytest.raises(Refusal, match=words):
        desk.place(limit(BUY, 1, str(price), product="CNC"))
    desk.place(limit(BUY, 1, 1545, product="CNC"))


@pytest.mark.parametrize(
    ("day", "end", "matched"), [(DAY, time(15, 15), time(15, 32)), (LATER, time(15, 30), time(15, 41))]
)
def test_resting_limits_are_carried_into_it_stops_and_far_limits_end_with_continuous_trading(
    day: date, end: time, matched: time
) -> None:
    desk = stage(time(15, 14, 50), day)
    carried, far, stop, iceberg = (
        desk.venue.books.orders[desk.trade(one)]
        for one in (
            limit(SELL, 5, 1505, product="CNC", tag="A"),
            limit(BUY, 5, 1400, product="CNC", tag="B"),
            limit(BUY, 5, 1510, product="CNC", order_type="SL", trigger_price=1505, tag="C"),
            limit(BUY, 10, 1490, product="CNC", variety="iceberg", iceberg_legs=2, iceberg_quantity=5, tag="D"),
        )
    )

    go_to(desk, end)
    desk.venue.match_pending()

    found = [one.status.value for one in (carried, far, stop, iceberg)]
    assert found == ["OPEN", "CANCELLED", "CANCELLED", "CANCELLED"]
    assert "price band" in str(far.message)
    assert "end of continuous trading" in str(stop.message)
    close(desk, moment=matched)
    assert (carried.status.value, carried.filled_value) == ("COMPLETE", scaled(1505) * 5)


def test_everybody_trades_at_the_one_closing_price_and_the_rest_lapses() -> None:
    desk = stage(time(15, 21))
    ids = [
        desk.trade(order(BUY, 10, product="CNC", tag="MARKET")),
        desk.trade(limit(SELL, 5, 1500, product="CNC", tag="SELL")),
        desk.trade(limit(BUY, 10, 1504, product="CNC", tag="LOW")),
    ]

    go_to(desk, time(15, 31))
    waiting = {desk.venue.books.orders[one].status.value for one in ids}
    close(desk)

    found = [desk.venue.books.orders[one] for one in ids]
    assert waiting == {"OPEN"}
    assert [(one.status.value, one.filled_value) for one in found] == [
        ("COMPLETE", scaled(1505) * 10),
        ("COMPLETE", scaled(1505) * 5),
        ("CANCELLED", 0),
    ]
    assert sorted(desk.words) == [("LOW", "CANCELLED"), ("MARKET", "COMPLETE"), ("SELL", "COMPLETE")]


def test_a_print_of_real_bars_in_the_last_minute_of_the_entry_is_the_auction_s() -> None:
    desk = stage(time(15, 21))
    desk.market.prints[INFY.token].append(Print(scaled(1499), 10, at_ms(time(15, 15))))
    order_id = desk.trade(order(BUY, 10, product="CNC"))
    desk.market.prints[INFY.token].append(Print(scaled("1257.5"), 842_771, at_ms(time(15, 29, 10))))

    go_to(desk, time(15, 29, 59))
    before = desk.venue.books.orders[order_id].status.value
    go_to(desk, time(15, 30))

    found = desk.venue.books.orders[order_id]
    assert (before, found.status.value, found.filled_value) == ("OPEN", "COMPLETE", scaled("1257.5") * 10)


def test_a_stock_without_a_print_has_no_closing_trade_and_its_orders_lapse() -> None:
    desk = stage(time(15, 21))
    order_id = desk.trade(order(BUY, 10, product="CNC"))

    go_to(desk, time(15, 35))

    assert desk.venue.books.orders[order_id].status == "CANCELLED"
    assert desk.venue.books.accounts["AB1001"].trades == []


def test_an_order_of_a_stock_without_closing_auction_rests_until_its_own_end() -> None:
    desk = stage(time(15, 16))
    order_id = desk.trade(limit(BUY, 10, 1400, product="CNC", instrument=PLAIN))

    go_to(desk, time(15, 29, 59))
    before = desk.venue.books.orders[order_id].status.value
    go_to(desk, time(15, 30))

    assert (before, desk.venue.books.orders[order_id].status.value) == ("OPEN", "CANCELLED")


def test_orders_of_the_first_part_of_a_special_saturday_lapse_with_it() -> None:
    desk = stage(time(9, 59), date(2024, 5, 18))
    order_id = desk.trade(limit(BUY, 10, 1400))

    go_to(desk, time(9, 59, 59))
    before = desk.venue.books.orders[order_id].status.value
    go_to(desk, time(10, 0))

    assert (before, desk.venue.books.orders[order_id].status.value) == ("OPEN", "CANCELLED")
    with pytest.raises(Refusal, match="not open for trading today"):
        desk.place(limit(BUY, 10, 1400))


@pytest.mark.parametrize("kill_at", ["", "entry", "match", "over"])
def test_a_restart_in_mid_auction_ends_in_the_same_ledger(tmp_path: Path, kill_at: str) -> None:
    def day(desk: Desk, kill: str) -> str:
        desk.trade(limit(SELL, 5, 1505, product="CNC", tag="REST"))
        for name, moment in (("entry", time(15, 22)), ("match", time(15, 32)), ("over", time(15, 35))):
            go_to(desk, moment)
            if name == "entry":
                desk.trade(order(BUY, 300, product="CNC", tag="M"))
                desk.trade(limit(BUY, 200, 1505, product="CNC", tag="N"))
            if name == "match":
                close(desk, quantity=60, moment=moment)
            if name == kill:
                desk.venue.close()
                desk = Desk(desk.state_dir, market=desk.market, times=desk.times)
        desk.venue.end_of_day()
        return desk.venue.ledger_hash()

    undisturbed = day(stage(time(15, 10), state_dir=tmp_path / "one"), "")

    assert day(stage(time(15, 10), state_dir=tmp_path / "other"), kill_at) == undisturbed


def after_close(moment: time = time(15, 50)) -> Desk:
    desk = stage(time(15, 21))
    close(desk)
    desk.market.prints[PLAIN.token] = [Print(scaled(1507), 10, at_ms(time(15, 10)))]
    go_to(desk, time(15, 40))
    go_to(desk, moment)
    return desk


def test_the_post_close_session_trades_delivery_at_the_closing_price() -> None:
    desk = after_close()
    desk.tick(quote_of(PLAIN, 1520))
    ids = [
        desk.trade(order(BUY, 10, product="CNC")),
        desk.trade(limit(BUY, 10, 1504, product="CNC")),
        desk.trade(limit(BUY, 10, 1510, product="CNC", instrument=PLAIN)),
    ]
    go_to(desk, time(16, 0))

    found = [desk.venue.books.orders[one] for one in ids]
    assert [(one.status.value, one.filled_value) for one in found] == [
        ("COMPLETE", scaled(1505) * 10),
        ("CANCELLED", 0),
        ("COMPLETE", scaled(1507) * 10),
    ]


@pytest.mark.parametrize(
    ("moment", "request_", "words"),
    [
        (time(15, 49, 59), order(product="CNC"), "not open for trading today"),
        (time(15, 50), order(), "Only CNC orders are allowed in the post-close session"),
        (time(15, 50), order(product="CNC", order_type="SL-M", trigger_price=Decimal(1510)), "SL-M orders are not"),
        (time(16, 0), order(product="CNC"), "not open for trading today"),
    ],
)
def test_the_post_close_session_takes_nothing_else(moment: time, request_: OrderRequest, words: str) -> None:
    desk = after_close(moment)

    with pytest.raises(Refusal, match=words):
        desk.place(request_)
