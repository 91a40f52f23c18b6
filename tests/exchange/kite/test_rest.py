"""Each REST call, made by the unmodified SDK."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import DAY, INFY, limit, quote_of
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import serving
from trading.domain.orders import Side


async def test_a_market_order_shows_as_the_limit_it_became_with_marks_of_its_protection() -> None:
    async with serving() as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **MARKET | {"tag": "LADDER1", "market_protection": 2})
        (row,) = await served.call(kite.orders)

    assert isinstance(order_id, str)
    assert (row["order_id"], row["status"], row["order_type"], row["price"]) == (order_id, "COMPLETE", "LIMIT", 1530.0)
    assert (row["tag"], row["tags"], row["market_protection"]) == ("LADDER1", ["LADDER1", "mktp", "mktp:2.00"], 0)
    assert (row["filled_quantity"], row["pending_quantity"], row["average_price"]) == (10, 0, 1500.0)
    assert row["order_timestamp"] == datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - naive IST is Kite's way


async def test_history_trades_positions_and_margins_tell_the_same_story() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.market.put(quote_of(INFY, 1500, asks=((1500, 4), ("1500.50", 6))))
        order_id = await served.call(kite.place_order, **MARKET)
        history = await served.call(kite.order_history, order_id)
        order_trades = await served.call(kite.order_trades, order_id)
        trades = await served.call(kite.trades)
        positions = await served.call(kite.positions)
        margins = await served.call(kite.margins)
        equity = await served.call(kite.margins, "equity")

    assert [line["status"] for line in history][-1] == "COMPLETE"
    assert trades == order_trades
    assert [(one["quantity"], one["average_price"]) for one in trades] == [(4, 1500.0), (6, 1500.5)]
    assert trades[0]["order_timestamp"] == "10:00:00"
    (net,) = positions["net"]
    assert positions["day"] == [net]
    assert (net["quantity"], net["average_price"], net["buy_value"], net["pnl"]) == (10, 1500.3, 15003.0, -3.0)
    assert net["pnl"] == net["sell_value"] - net["buy_value"] + net["quantity"] * net["last_price"]
    assert equity == margins["equity"]
    assert equity["utilised"]["exposure"] == 3000.6
    assert equity["net"] == equity["available"]["cash"] - equity["utilised"]["debits"]


async def test_a_round_trip_is_realised_and_flat() -> None:
    async with serving() as served:
        kite = served.kite()
        await served.call(kite.place_order, **MARKET)
        served.tick(quote_of(INFY, "1507.05"))
        await served.call(kite.place_order, **MARKET | {"transaction_type": "SELL"})
        (net,) = (await served.call(kite.positions))["net"]
        equity = await served.call(kite.margins, "equity")

    assert (net["quantity"], net["average_price"], net["realised"], net["unrealised"], net["pnl"]) == (
        0,
        0,
        70.5,
        0.0,
        70.5,
    )
    assert equity["net"] == 1_000_070.5


async def test_orders_are_modified_and_cancelled() -> None:
    async with serving() as served:
        kite = served.kite()
        resting = MARKET | {"order_type": "LIMIT", "price": 1490, "market_protection": None}
        first = await served.call(kite.place_order, **resting)
        second = await served.call(kite.place_order, **resting)
        assert await served.call(kite.modify_order, "regular", first, quantity=20, price=1500) == first
        assert await served.call(kite.cancel_order, "regular", second) == second
        rows = {row["order_id"]: row for row in await served.call(kite.orders)}

    assert (rows[first]["status"], rows[first]["quantity"], rows[first]["modified"]) == ("COMPLETE", 20, True)
    assert (rows[second]["status"], rows[second]["cancelled_quantity"]) == ("CANCELLED", 10)


async def test_a_market_order_stays_protected_and_marked_when_it_is_modified() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.market.put(quote_of(INFY, 1500, asks=()))
        order_id = await served.call(kite.place_order, **MARKET | {"market_protection": 2})
        served.desk.market.put(quote_of(INFY, 1510, asks=()))
        await served.call(kite.modify_order, "regular", order_id, order_type="MARKET")
        (again,) = await served.call(kite.orders)
        await served.call(kite.modify_order, "regular", order_id, quantity=7)
        (smaller,) = await served.call(kite.orders)
        plain = await served.call(kite.place_order, **MARKET | {"order_type": "LIMIT", "price": 1500})
        with pytest.raises(kite_errors.InputException, match="market protection"):
            await served.call(kite.modify_order, "regular", plain, order_type="MARKET")

    assert (again["price"], again["tags"]) == (1540.2, ["mktp", "mktp:2.00"])
    assert (smaller["price"], smaller["quantity"], smaller["tags"]) == (1540.2, 7, ["mktp", "mktp:2.00"])


async def test_the_order_timestamp_is_that_of_the_last_request() -> None:
    async with serving() as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **MARKET | {"order_type": "LIMIT", "price": 1490})
        served.desk.times.go_to(time(10, 2))
        await served.call(kite.modify_order, "regular", order_id, price=1491)
        served.desk.times.go_to(time(10, 5))
        await served.call(kite.cancel_order, "regular", order_id)
        history = await served.call(kite.order_history, order_id)
        (row,) = await served.call(kite.orders)

    asked = [(one["status"], f"{one['order_timestamp']:%H:%M}") for one in history]
    assert asked[3:5] == [("OPEN", "10:00"), ("MODIFY VALIDATION PENDING", "10:02")]
    assert asked[-3:] == [("OPEN", "10:02"), ("CANCEL PENDING", "10:05"), ("CANCELLED", "10:05")]
    assert f"{row['order_timestamp']:%H:%M}" == "10:05"
    assert f"{row['exchange_timestamp']:%H:%M}" == "10:02"


async def test_a_cancelled_order_shows_what_was_pending_and_when_the_exchange_last_spoke() -> None:
    async with serving() as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **MARKET | {"order_type": "LIMIT", "price": 1490})
        served.desk.times.go_to(time(10, 5))
        await served.call(kite.cancel_order, "regular", order_id)
        opened, wished, cancelled = (await served.call(kite.order_history, order_id))[-3:]

    assert [one["status"] for one in (opened, wished, cancelled)] == ["OPEN", "CANCEL PENDING", "CANCELLED"]
    assert (cancelled["pending_quantity"], cancelled["cancelled_quantity"]) == (10, 10)
    assert wished["exchange_update_timestamp"] == "2026-11-23 10:00:00"
    assert cancelled["exchange_update_timestamp"] == "2026-11-23 10:05:00"
    assert cancelled["exchange_timestamp"] == datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - naive IST is Kite's way


async def test_stop_and_ioc_orders_go_through_the_sdk() -> None:
    async with serving() as served:
        kite = served.kite()
        stop = MARKET | {"order_type": "SL", "trigger_price": 1510, "price": 1515, "market_protection": None}
        stop_id = await served.call(kite.place_order, **stop)
        waiting = (await served.call(kite.orders))[0]["status"]
        served.tick(quote_of(INFY, 1510, asks=((1511, 100),)))
        ioc = MARKET | {"order_type": "LIMIT", "validity": "IOC", "price": 1511, "quantity": 200}
        ioc_id = await served.call(kite.place_order, **ioc)
        rows = {row["order_id"]: row for row in await served.call(kite.orders)}

    assert waiting == "TRIGGER PENDING"
    assert (rows[stop_id]["status"], rows[stop_id]["average_price"]) == ("COMPLETE", 1511.0)
    assert (rows[ioc_id]["status"], rows[ioc_id]["filled_quantity"], rows[ioc_id]["cancelled_quantity"]) == (
        "CANCELLED",
        90,
        110,
    )


async def test_the_two_ways_of_rejection() -> None:
    async with serving() as served:
        kite = served.kite()
        with pytest.raises(kite_errors.InputException) as refused:
            await served.call(kite.place_order, **MARKET | {"market_protection": None})
        order_id = await served.call(kite.place_order, **MARKET | {"quantity": 9000, "tag": "BIG"})
        (row,) = await served.call(kite.orders)

    assert refused.value.code == 400
    assert "Market orders without market protection are not allowed via API." in str(refused.value)
    assert (row["order_id"], row["status"], row["tag"]) == (order_id, "REJECTED", "BIG")
    assert row["status_message"].startswith("Insufficient funds. Required margin is ")
    assert row["status_message_raw"].startswith("RMS:Margin Exceeds,Required:")
    assert row["exchange_order_id"] is None


@pytest.mark.parametrize("protection", [0, "0"])
async def test_a_protection_of_zero_is_none(protection: Any) -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match="market protection"):
            await served.call(served.kite().place_order, **MARKET | {"market_protection": protection})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variety": "bo"}, "Invalid `variety`"),
        ({"tradingsymbol": "NOPE"}, "Invalid `tradingsymbol`"),
        ({"transaction_type": "HOLD"}, "Invalid `transaction_type`"),
        ({"quantity": "ten"}, "Invalid `quantity`"),
        ({"quantity": "1_0"}, "Invalid `quantity`"),
        ({"quantity": "9" * 5000}, "Invalid `quantity`"),
        ({"product": ""}, "`product`"),
        ({"order_type": "LIMIT", "price": "1e999"}, "Invalid `price`"),
        ({"order_type": "LIMIT", "price": "NaN"}, "Invalid `price`"),
        ({"market_protection": "lots"}, "Invalid `market_protection`"),
    ],
)
async def test_a_malformed_order_is_an_input_exception(change: dict[str, Any], words: str) -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match=words):
            await served.call(served.kite().place_order, **MARKET | change)

        assert served.desk.venue.books.orders == {}


async def test_profile_and_holdings() -> None:
    async with serving() as served:
        kite = served.kite()
        profile = await served.call(kite.profile)
        (holding,) = await served.call(kite.holdings)

    assert (profile["user_id"], profile["broker"]) == ("AB1001", "ZERODHA")
    assert (holding["tradingsymbol"], holding["quantity"], holding["average_price"]) == ("INFY", 10, 1500.0)
    assert holding["mtf"]["quantity"] == 0


async def test_quotes_leave_unknown_instruments_out() -> None:
    async with serving() as served:
        kite = served.kite()
        quote = await served.call(kite.quote, "NSE:INFY", "NSE:NIFTY 50", "NSE:NOPE")
        ohlc = await served.call(kite.ohlc, ["NSE:INFY"])
        ltp = await served.call(kite.ltp, "NSE:NOPE")
        by_token = await served.call(kite.ltp, str(INFY.token))

    assert set(quote) == {"NSE:INFY", "NSE:NIFTY 50"}
    assert len(quote["NSE:INFY"]["depth"]["buy"]) == 5
    assert quote["NSE:INFY"]["lower_circuit_limit"] == 1350.0
    assert isinstance(quote["NSE:INFY"]["timestamp"], datetime)
    assert ohlc["NSE:INFY"]["ohlc"] == {"open": 1500.0, "high": 1505.0, "low": 1495.0, "close": 1500.0}
    assert ltp == {}
    assert by_token == {str(INFY.token): {"instrument_token": INFY.token, "last_price": 1500.0}}


async def test_the_instrument_dump_is_a_gzip_csv_for_all_and_for_one_exchange() -> None:
    async with serving() as served:
        kite = served.kite()
        everything = await served.call(kite.instruments)
        derivatives = await served.call(kite.instruments, "NFO")
        raw = await served.call(
            kite.reqsession.get,
            f"{served.rest}/instruments",
            headers={"Authorization": f"token {kite.api_key}:{kite.access_token}"},
        )

    assert {row["tradingsymbol"] for row in everything} == {"INFY", "SBIN", "NIFTY 50", "NIFTY26NOVFUT"}
    assert [row["lot_size"] for row in derivatives] == [75]
    assert raw.headers["Content-Encoding"] == "gzip"
    assert raw.headers["Content-Type"].startswith("text/csv")


async def test_candles_carry_indian_time() -> None:
    async with serving() as served:
        kite = served.kite()
        start = datetime.combine(DAY, time(9, 15))
        candles = await served.call(kite.historical_data, INFY.token, start, "2026-11-23 09:17:00", "minute")
        with_oi = await served.call(kite.historical_data, INFY.token, DAY, DAY, "day", oi=True)

    assert [one["date"].isoformat() for one in candles] == [f"2026-11-23T09:{m}:00+05:30" for m in (15, 16, 17)]
    assert candles[0]["high"] == 1502.0
    assert with_oi[0]["oi"] == 0


@pytest.mark.parametrize(
    ("token", "start", "end", "interval", "words"),
    [
        (1, "2026-11-20", "2026-11-20", "minute", "invalid token"),
        (INFY.token, "2026-11-20", "2026-11-20", "2minute", "invalid interval"),
        (INFY.token, "2026-01-01", "2026-11-20", "minute", "interval exceeds max limit: 60 days"),
        (INFY.token, "2026-09-01 10:00:00", "2026-11-01 10:00:00", "minute", "interval exceeds max limit: 60 days"),
        (INFY.token, "soon", "2026-11-20", "minute", "invalid from date"),
        (INFY.token, "2026-11-20", "2026-11-19", "minute", "`from` is after `to`"),
    ],
)
async def test_a_bad_candle_request_is_refused(token: int, start: str, end: str, interval: str, words: str) -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match=words):
            await served.call(served.kite().historical_data, token, start, end, interval)


async def test_reads_lag_behind_when_the_broker_is_told_to() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.venue.behaviour.set({"book_lag_s": 5})
        order_id = await served.call(kite.place_order, **MARKET)
        early = await served.call(kite.orders), await served.call(kite.positions)
        with pytest.raises(kite_errors.OrderException, match="Couldn't find"):
            await served.call(kite.order_history, order_id)
        served.desk.times.wire_s += 5
        late = await served.call(kite.orders)

    assert early == ([], {"net": [], "day": []})
    assert late[0]["status"] == "COMPLETE"


async def test_an_unknown_route_answers_in_json() -> None:
    async with serving() as served:
        missing = await served.call(served.kite().reqsession.get, f"{served.rest}/nowhere")

    assert missing.status_code == 404
    assert (missing.json()["status"], missing.json()["error_type"]) == ("error", "GeneralException")


async def test_one_users_orders_are_not_anothers() -> None:
    async with serving() as served:
        order_id = served.desk.trade(limit(Side.BUY, 10, 1490))
        charlie = served.kite("AB1003")

        with pytest.raises(kite_errors.OrderException):
            await served.call(charlie.cancel_order, "regular", order_id)
        assert await served.call(charlie.orders) == []
        assert Decimal(served.desk.venue.books.orders[order_id].remaining) == 10
