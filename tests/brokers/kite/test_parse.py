"""Kite's rows in our words."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.brokers.kite.payload import load
from tests.mocks import MOCKS, mock_data, needs_mocks
from trading.brokers.kite import parse
from trading.brokers.kite.parse import ParseError
from trading.domain.candles import Candle
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderStatus, Side


def order(**changes: Any) -> dict[str, Any]:
    """Give the first order of the payload, changed."""
    row: dict[str, Any] = load("orders")[0]
    return row | changes


def test_an_order_row_becomes_exact_numbers_and_aware_times() -> None:
    assert parse.parse_order(order()) == BrokerOrder(
        order_id="261123000000101",
        tag="K7QXB2MNPRSTUV",
        status=OrderStatus.COMPLETE,
        instrument="NSE:INFY",
        side=Side.BUY,
        product="MIS",
        quantity=100,
        filled_quantity=100,
        average_price=Decimal("1563.5712"),
        status_message="",
        broker_status="COMPLETE",
        placed_at=datetime(2026, 11, 23, 3, 50, 1, tzinfo=UTC),
        updated_at=datetime(2026, 11, 23, 3, 50, 2, tzinfo=UTC),
        price=Decimal("1571.4"),
    )


def test_a_rejected_order_keeps_the_brokers_words_and_may_lack_times_and_tag() -> None:
    rejected = parse.parse_order(load("orders")[1])

    assert rejected.status is OrderStatus.REJECTED
    assert rejected.status_message.startswith("Insufficient funds. Required margin is 9500.00")
    assert (rejected.tag, rejected.updated_at, rejected.order_id) == ("", None, "2511230000000000102")


def test_a_partial_fill_in_the_book_is_open_with_a_filled_quantity() -> None:
    partial = parse.parse_order(load("orders")[2])

    assert (partial.status, partial.quantity, partial.filled_quantity) == (OrderStatus.OPEN, 10, 4)
    assert partial.average_price == Decimal("84.2475")


def test_the_sdks_naive_datetimes_are_indian_time_too() -> None:
    naive = datetime(2026, 11, 23, 9, 20, 1)  # noqa: DTZ001 - what the SDK's formatter gives

    assert parse.parse_order(order(order_timestamp=naive)) == parse.parse_order(order())


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PUT ORDER REQ RECEIVED", OrderStatus.PENDING),
        ("VALIDATION PENDING", OrderStatus.PENDING),
        ("OPEN PENDING", OrderStatus.PENDING),
        ("TRIGGER PENDING", OrderStatus.TRIGGER_PENDING),
        ("MODIFY PENDING", OrderStatus.OPEN),
        ("CANCEL PENDING", OrderStatus.OPEN),
        ("UPDATE", OrderStatus.OPEN),
        ("CANCELLED", OrderStatus.CANCELLED),
    ],
)
def test_each_word_of_the_state_machine_has_its_status(word: str, status: OrderStatus) -> None:
    assert parse.parse_order(order(status=word)).status is status


@pytest.mark.proves("F27", "F33")
def test_an_unknown_status_counts_as_live_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        strange = parse.parse_order(order(status="FROZEN BY EXCHANGE"))

    assert (strange.status, strange.broker_status) == (OrderStatus.UNKNOWN, "FROZEN BY EXCHANGE")
    assert strange.is_live
    assert "FROZEN BY EXCHANGE" in caplog.text


@pytest.mark.proves("F33")
@pytest.mark.parametrize(
    "changes",
    [
        {"exchange": "NASDAQ"},
        {"product": "INTRADAY"},
        {"transaction_type": "HOLD"},
        {"order_id": 261123000000101},
        {"order_id": ""},
        {"tradingsymbol": None},
        {"filled_quantity": None},
        {"filled_quantity": -1},
        {"quantity": 1.5},
        {"quantity": True},
        {"average_price": float("nan")},
        {"average_price": "1e999999999"},
        {"order_timestamp": "yesterday"},
        {"status": None},
        {"filled_quantity": 101},
        {"quantity": 10**30, "filled_quantity": 10**30},
    ],
)
def test_a_row_with_an_untrustworthy_field_is_refused_as_a_whole(changes: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse.parse_order(order(**changes))


@pytest.mark.parametrize("row", [None, [], "text", 7, {}])
def test_something_else_than_a_row_is_refused(row: Any) -> None:
    for read in (parse.parse_order, parse.parse_trade, parse.parse_position):
        with pytest.raises(ParseError):
            read(row)


def test_a_trades_day_comes_from_its_fill_time() -> None:
    assert parse.parse_trade(load("trades")[0]) == BrokerTrade(
        trade_id="10000001",
        order_id="261123000000101",
        instrument="NSE:INFY",
        side=Side.BUY,
        product="MIS",
        quantity=40,
        price=Decimal("1563.55"),
        filled_at=datetime(2026, 11, 23, 3, 50, 2, tzinfo=UTC),
    )


def test_a_trade_without_a_day_is_refused() -> None:
    row = load("trades")[0] | {"fill_timestamp": None, "exchange_timestamp": None}

    with pytest.raises(ParseError, match="fill_timestamp"):
        parse.parse_trade(row)


def test_positions_are_the_net_half_signed_and_flat_ones_stay() -> None:
    short, flat = parse.parse_positions(load("positions"))

    assert short == BrokerPosition("NSE:INFY", "MIS", -40, Decimal("1563.55"), Decimal("1565.05"), Decimal(-60))
    assert (flat.instrument, flat.net_quantity) == ("NSE:SBIN", 0)


@pytest.mark.proves("F28", "F33")
@pytest.mark.parametrize("data", [[], {}, {"net": None}, {"net": {}}, None, {"day": []}])
def test_positions_of_another_shape_are_an_error_and_never_an_empty_list(data: Any) -> None:
    with pytest.raises(ParseError):
        parse.parse_positions(data)


@pytest.mark.proves("F28", "F33")
@pytest.mark.parametrize("data", [{}, None, "[]", {"data": []}])
def test_a_book_of_another_shape_is_an_error_and_never_an_empty_book(data: Any) -> None:
    with pytest.raises(ParseError):
        parse.rows_of(data)


@pytest.mark.proves("F33")
def test_units_and_prices_beyond_every_market_are_refused() -> None:
    trade, position = load("trades")[0], load("positions")["net"][0]

    for broken in (
        lambda: parse.parse_trade(trade | {"quantity": 10**30}),
        lambda: parse.parse_trade(trade | {"average_price": 10**30}),
        lambda: parse.parse_position(position | {"quantity": -(10**30)}),
        lambda: parse.parse_position(position | {"average_price": 10**30}),
        lambda: parse.parse_position(position | {"last_price": 10**30}),
        lambda: parse.parse_order(order(average_price=10**30)),
        lambda: parse.parse_order(order(price=10**30)),
        lambda: parse.parse_order(order(trigger_price=10**30)),
        lambda: parse.parse_last_prices({"NSE:INFY": {"last_price": 10**30}}),
    ):
        with pytest.raises(ParseError):
            broken()


def test_last_prices_leave_unknown_instruments_out() -> None:
    assert parse.parse_last_prices({"NSE:INFY": {"instrument_token": 408065, "last_price": 1574.35}}) == {
        "NSE:INFY": Decimal("1574.35")
    }
    assert parse.parse_last_prices({}) == {}


def test_candles_are_exact_and_start_in_utc() -> None:
    first, second = parse.parse_candles(load("candles"))

    assert first == Candle(
        start=datetime(2026, 11, 19, 18, 30, tzinfo=UTC),
        open=Decimal("1550.0"),
        high=Decimal("1571.25"),
        low=Decimal("1541.05"),
        close=Decimal("1560.1"),
        volume=7_123_456,
    )
    assert second.open_interest == 0


def test_an_order_message_is_read_like_a_row() -> None:
    update = parse.parse_order_frame(json.dumps(load("order_update")))

    assert update is not None
    assert (update.order_id, update.status, update.broker_status, update.filled_quantity) == (
        "261123000000101",
        OrderStatus.OPEN,
        "UPDATE",
        40,
    )


@pytest.mark.parametrize(
    "frame",
    ["", "not json", "[]", "7", '{"type": "error", "data": "no"}', '{"type": "order"}', '{"type": "order", "data": 3}'],
)
def test_other_text_frames_are_no_order_messages(frame: str) -> None:
    assert parse.parse_order_frame(frame) is None
    assert not parse.is_order_message(frame)


def test_margins_and_profile_give_what_the_pages_show() -> None:
    margins = {
        "net": 99725.05,
        "available": {"opening_balance": 100000, "cash": 100000},
        "utilised": {"debits": 274.95},
    }

    assert parse.parse_funds(margins).available == Decimal("99725.05")
    assert parse.parse_funds(margins).used == Decimal("274.95")
    assert parse.parse_profile({"user_id": "AB1001", "user_name": "Asha"}).user_id == "AB1001"


@needs_mocks
def test_every_order_trade_and_position_of_the_brokers_own_mocks_can_be_read() -> None:
    orders = [parse.parse_order(row) for row in mock_data("orders.json")]
    trades = [parse.parse_trade(row) for row in mock_data("trades.json")]
    history = [parse.parse_order(row) for row in mock_data("order_info.json")]
    positions = parse.parse_positions(mock_data("positions.json"))

    assert len(orders) == 10
    assert OrderStatus.UNKNOWN not in {one.status for one in [*orders, *history]}
    assert trades
    assert positions
    assert parse.parse_candles(mock_data("historical_oi.json"))[0].open_interest == 13_667_775
    assert parse.parse_order(json.loads((MOCKS / "postback.json").read_text())).status is OrderStatus.COMPLETE
