"""Open units get another product: what it moves, what it blocks, what is refused, and that it is kept."""

import contextlib
import re
from datetime import date, time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.exchange.fakes import DAY, FUTURE, INFY, SBIN, Desk, FakeMarket, limit, order, quote_of, scaled
from tests.exchange.venue.test_invariants import PRODUCTS, UNITS, do
from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue import margin
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.conversions import ConversionRequest
from trading.exchange.venue.positions import Position
from trading.exchange.venue.refusals import Refusal

BUY, SELL = Side.BUY, Side.SELL
NEXT_DAY = DAY.replace(day=24)


def wish(
    quantity: int = 10,
    old: str = "MIS",
    new: str = "CNC",
    *,
    side: Side = BUY,
    overnight: bool = False,
    of: Instrument = INFY,
) -> ConversionRequest:
    return ConversionRequest(of, side, overnight, quantity, old, new)


def convert(desk: Desk, request: ConversionRequest, user_id: str = "AB1001") -> None:
    desk.venue.convert(user_id, request)


def account(desk: Desk, user_id: str = "AB1001") -> Account:
    return desk.venue.books.accounts[user_id]


def total_pnl(desk: Desk, ltp: int = scaled(1512)) -> int:
    return sum(position.pnl(ltp) for position in account(desk).positions.values())


def test_converted_units_stand_in_the_other_product_at_their_cost_and_pnl_stays() -> None:
    desk = Desk()
    desk.trade(order(quantity=6))
    desk.tick(quote_of(INFY, 1510))
    desk.trade(order(quantity=6))
    before = total_pnl(desk)

    convert(desk, wish(8))

    mis, cnc = (account(desk).positions[INFY.token, product] for product in ("MIS", "CNC"))
    assert (mis.net_quantity, cnc.net_quantity) == (4, 8)
    assert list(cnc.lots) == [(6, scaled(1500)), (2, scaled(1510))]
    assert (mis.open_value, cnc.open_value) == (4 * scaled(1510), 6 * scaled(1500) + 2 * scaled(1510))
    assert (cnc.buy_quantity, mis.buy_quantity) == (8, 4)
    assert total_pnl(desk) == before
    assert account(desk).realised == 0


def test_delivery_blocks_the_whole_value_and_intraday_a_fifth_again() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))
    intraday = margin.used(account(desk))

    convert(desk, wish(10))
    delivery = margin.used(account(desk))
    convert(desk, wish(10, "CNC", "MIS"))

    assert (intraday, delivery, margin.used(account(desk))) == (scaled(3000), scaled(15_000), scaled(3000))


def test_a_conversion_beyond_the_free_margin_is_refused_with_both_numbers_and_changes_nothing() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 2000, 1500))  # blocks 600,000
    before = desk.venue.ledger_truth()

    with pytest.raises(Refusal) as refused:
        convert(desk, wish(2000))

    assert refused.value.error_type == "MarginException"
    assert refused.value.message == (
        "Insufficient funds. Required margin is 2400000.00 but available margin is 400000.00. "
        "Check the orderbook for open orders."
    )
    assert desk.venue.ledger_truth() == before


def test_the_last_paisa_may_be_used() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 666, 1500))
    desk.trade(limit(BUY, 3, 1450, instrument=SBIN))

    convert(desk, wish(666))  # 999,000 of 1,000,000 less 870 for the resting order

    assert margin.available(account(desk)) == scaled(130)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (wish(10, "MIS", "MIS"), "Invalid `new_product`"),
        (wish(10, "MIS", "NRML"), "Invalid `new_product`. NRML is not allowed for NSE:INFY."),
        (wish(10, "CO", "MIS"), "Invalid `old_product`"),
        (wish(0), "Invalid `quantity`"),
        (wish(11), "Only 10 of the position can be converted"),
        (wish(10, side=SELL), "There is no open SELL position in NSE:INFY to convert."),
        (wish(10, overnight=True), "Only 0 of the position can be converted"),
        (wish(10, "CNC", "MIS"), "There is no open BUY position in NSE:INFY to convert."),
        (wish(10, of=SBIN), "There is no open BUY position in NSE:SBIN to convert."),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(request_: ConversionRequest, words: str) -> None:
    desk = Desk()
    desk.trade(order(quantity=10))

    with pytest.raises(Refusal, match=re.escape(words)):
        convert(desk, request_)

    assert account(desk).conversions == []


def test_nothing_is_converted_after_hours() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))
    desk.times.go_to(time(15, 16))

    with pytest.raises(Refusal, match=r"CNC \(delivery\) are blocked as the markets are not open"):
        convert(desk, wish(10))


def test_units_that_an_exit_in_the_book_may_close_stay_where_they_are() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))
    desk.trade(limit(SELL, 7, 1600))

    with pytest.raises(Refusal, match="Only 3 of the position"):
        convert(desk, wish(4))
    convert(desk, wish(3))

    assert account(desk).net_quantity(INFY.token, "MIS") == 7


def test_an_exit_of_the_other_product_keeps_its_position_too() -> None:
    desk = Desk()
    desk.trade(order(SELL, 10, product="CNC"))  # out of the holding
    desk.trade(order(quantity=10))
    desk.trade(limit(BUY, 8, 1400, product="CNC"))

    with pytest.raises(Refusal, match="Orders to exit the CNC position are in the book"):
        convert(desk, wish(3))
    convert(desk, wish(2))

    assert account(desk).net_quantity(INFY.token, "CNC") == -8


def test_a_short_becomes_delivery_only_out_of_what_is_held() -> None:
    desk = Desk()
    desk.trade(order(SELL, 11))

    with pytest.raises(Refusal, match=r"Insufficient stock holding\. Quantity to sell is 11 but only 10") as refused:
        convert(desk, wish(11, side=SELL))
    convert(desk, wish(10, side=SELL))

    assert refused.value.error_type == "HoldingException"
    assert account(desk).sold_from_holding(INFY.token) == 10
    assert account(desk).deliverable(INFY.token) == 0


def test_delivery_that_a_sale_in_the_book_counts_on_cannot_leave() -> None:
    desk = Desk()
    desk.trade(order(quantity=5, product="CNC"))
    desk.trade(limit(SELL, 15, 1600, product="CNC"))  # 10 held and 5 of today

    with pytest.raises(Refusal):
        convert(desk, wish(5, "CNC", "MIS"))


def test_what_meets_an_opposite_position_realises_there_and_the_total_stays() -> None:
    desk = Desk()
    desk.trade(order(SELL, 10, product="CNC"))
    desk.tick(quote_of(INFY, 1490))
    desk.trade(order(quantity=10))
    before = total_pnl(desk)

    convert(desk, wish(10))

    cnc = account(desk).positions[INFY.token, "CNC"]
    assert (cnc.net_quantity, cnc.realised) == (0, 10 * scaled(10))
    assert total_pnl(desk) == before


def test_a_derivative_goes_between_intraday_and_overnight_in_whole_lots() -> None:
    desk = Desk()
    desk.trade(order(quantity=150, instrument=FUTURE))

    with pytest.raises(Refusal, match="Invalid `quantity`"):
        convert(desk, wish(50, "MIS", "NRML", of=FUTURE))
    convert(desk, wish(75, "MIS", "NRML", of=FUTURE))

    assert [account(desk).net_quantity(FUTURE.token, product) for product in ("MIS", "NRML")] == [75, 75]


def carried(tmp_path: Path, market_day: date = NEXT_DAY) -> Desk:
    """Open the next day with 10 units of INFY carried in MIS at 1500, and buy 5 more at 1520."""
    first = Desk(tmp_path)
    first.trade(order(quantity=10))
    first.venue.close()
    desk = Desk(tmp_path, market=FakeMarket(market_day))
    desk.times.go_to(time(10, 0), market_day)
    desk.tick(quote_of(INFY, 1520))
    desk.trade(order(quantity=5))
    return desk


def test_carried_and_todays_units_are_converted_apart(tmp_path: Path) -> None:
    desk = carried(tmp_path)
    before = total_pnl(desk)

    with pytest.raises(Refusal, match="Only 5 of the position"):
        convert(desk, wish(6))
    convert(desk, wish(5))
    convert(desk, wish(4, overnight=True))

    mis, cnc = (account(desk).positions[INFY.token, product] for product in ("MIS", "CNC"))
    assert (mis.overnight_quantity, mis.buy_quantity, list(mis.lots)) == (6, 0, [(6, scaled(1500))])
    assert (cnc.overnight_quantity, cnc.buy_quantity) == (4, 5)
    assert list(cnc.lots) == [(4, scaled(1500)), (5, scaled(1520))]
    assert total_pnl(desk) == before


def test_carried_units_that_become_delivery_are_paid_and_held(tmp_path: Path) -> None:
    desk = carried(tmp_path)
    cash = account(desk).cash
    convert(desk, wish(10, overnight=True))

    desk.venue.begin_day(FakeMarket(DAY.replace(day=25)))

    assert account(desk).cash == cash - 10 * scaled(1500)
    assert account(desk).holdings[INFY.token].t1_quantity == 10
    assert account(desk).net_quantity(INFY.token, "MIS") == 5


def test_a_restart_finds_the_conversions_between_the_trades(tmp_path: Path) -> None:
    desk = carried(tmp_path)
    convert(desk, wish(5))
    desk.trade(order(SELL, 3))
    convert(desk, wish(4, overnight=True))
    desk.trade(order(SELL, 2, product="CNC"))
    truth, ledger_hash = desk.venue.ledger_truth(), desk.venue.ledger_hash()
    positions = account(desk).positions
    desk.venue.close()

    again = Desk(tmp_path, market=FakeMarket(NEXT_DAY))

    assert again.venue.ledger_truth() == truth
    assert again.venue.ledger_hash() == ledger_hash
    assert account(again).positions == positions
    assert margin.available(account(again)) == margin.available(account(desk))


def test_yesterdays_conversions_are_not_done_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(order(quantity=10))
    convert(desk, wish(4))
    desk.venue.close()

    for _ in range(2):
        again = Desk(tmp_path, market=FakeMarket(NEXT_DAY))
        assert account(again).conversions == []
        assert account(again).net_quantity(INFY.token, "MIS") == 6
        assert account(again).holdings[INFY.token].t1_quantity == 4
        again.venue.close()


def test_a_late_screen_shows_a_conversion_late() -> None:
    desk = Desk()
    desk.venue.behaviour.book_lag_s = 2.0
    desk.trade(order(quantity=10))
    desk.times.wire_s += 3
    convert(desk, wish(4))

    early = {one.product: one.net_quantity for one in desk.venue.reads.positions("AB1001")}
    desk.times.wire_s += 3
    late = {one.product: one.net_quantity for one in desk.venue.reads.positions("AB1001")}

    assert (early, late) == ({"MIS": 10}, {"MIS": 6, "CNC": 4})


def test_a_day_without_conversions_has_the_ledger_it_always_had() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))

    assert set(desk.venue.ledger_truth()["AB1001"]) == {
        "orders", "trades", "positions", "holdings", "cash", "realised_pnl",
    }  # fmt: skip


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from([BUY, SELL]), st.integers(1, 40), st.integers(90, 110)),
        st.tuples(st.just("give"), st.booleans(), st.integers(1, 40), st.just(0)),
        st.tuples(st.just("back"), st.booleans(), st.integers(1, 40), st.just(0)),
    ),
    max_size=25,
)
CARRIED = st.lists(st.tuples(st.integers(1, 20), st.integers(90, 110)), max_size=3)


@settings(max_examples=300)
@given(CARRIED, st.booleans(), STEPS)
def test_whatever_is_converted_units_and_total_pnl_stay(
    lots: list[tuple[int, int]], short: bool, steps: list[tuple[str, object, int, int]]
) -> None:
    first, second = Position(INFY, "MIS"), Position(INFY, "CNC")
    first.carry((-units if short else units, price) for units, price in lots)
    plain = Position(INFY, "MIS")
    plain.carry(first.carried)

    for word, how, units, price in steps:
        if word == "fill":
            assert isinstance(how, Side)
            first.apply(how, units, price)
            plain.apply(how, units, price)
            continue
        source, target = (first, second) if word == "give" else (second, first)
        part = source.carried_units if how else max(0, abs(source.net_quantity) - source.carried_units)
        moved = min(units, part)
        if moved:
            target.receive(source.release(moved, is_overnight=bool(how)), is_overnight=bool(how))
        for one in (first, second):
            assert sum(lot for lot, _ in one.lots) == one.net_quantity
            assert one.open_value == sum(abs(lot) * cost for lot, cost in one.lots)
            open_pnl = sum(lot * (123 - cost) for lot, cost in one.lots)
            assert one.realised + open_pnl == one.pnl(123)

    assert first.net_quantity + second.net_quantity == plain.net_quantity
    assert first.pnl(123) + second.pnl(123) == plain.pnl(123)


TRADING = st.lists(
    st.one_of(
        st.tuples(st.just("market"), st.just("AB1001"), st.sampled_from([BUY, SELL]), UNITS, PRODUCTS),
        st.tuples(st.just("limit"), st.just("AB1001"), st.sampled_from([BUY, SELL]), UNITS, st.integers(1450, 1550)),
        st.tuples(st.just("tick"), st.integers(1450, 1550), UNITS),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("match")),
        st.tuples(st.just("convert"), st.sampled_from([BUY, SELL]), UNITS, PRODUCTS),
    ),
    max_size=40,
)


def step(desk: Desk, one: tuple[object, ...], number: int) -> None:
    if one[0] != "convert":
        do(desk, one, number)
        return
    _, side, units, old = one
    new = "CNC" if old == "MIS" else "MIS"
    with contextlib.suppress(Refusal):
        convert(desk, ConversionRequest(INFY, side, False, units, old, new))  # type: ignore[arg-type]


AN_OPENING_SELL_THAT_FILLS_BEFORE_THE_EXIT: list[tuple[object, ...]] = [
    ("market", "AB1001", BUY, 1, "CNC"),
    ("market", "AB1001", SELL, 1, "CNC"),
    ("tick", 1450, 1),
    ("market", "AB1001", SELL, 1, "CNC"),
    ("match",),
    ("market", "AB1001", BUY, 1, "CNC"),
    ("match",),
]
"""The exit rests by the higher price; the other sell closes its position first, and then something is bought again."""


@settings(max_examples=80, deadline=None)
@example(AN_OPENING_SELL_THAT_FILLS_BEFORE_THE_EXIT)
@given(TRADING)
def test_between_orders_of_all_kinds_exits_stay_exits_money_stays_enough_and_a_restart_agrees(
    steps: list[tuple[object, ...]],
) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        held = account(desk)
        for number, one in enumerate(steps):
            free = margin.available(held)
            step(desk, one, number)
            for (token, product, side), promised in held.closing.items():
                assert promised <= max(0, -side.sign * held.net_quantity(token, product))
            if one[0] == "convert":
                assert margin.available(held) >= min(0, free)
            assert held.deliverable(INFY.token) >= 0
        desk.venue.close()

        reopened = Desk(Path(folder))

        assert reopened.venue.ledger_truth() == desk.venue.ledger_truth()
        assert account(reopened).positions == held.positions
        assert margin.available(account(reopened)) == margin.available(held)
        reopened.venue.close()
