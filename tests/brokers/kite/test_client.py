"""The adapter against a broker that answers well, badly and not at all."""

import asyncio
import gc
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.brokers.kite.conftest import ACCESS_TOKEN, HastyClock
from tests.brokers.kite.fake_kite import (
    SILENCE_LASTS_S,
    Behaviour,
    FakeKite,
    breaks_off,
    data,
    drips,
    hangs,
    raw,
    refuses,
    resets,
    says,
)
from tests.brokers.kite.payload import PAYLOADS, load
from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.order_wire import OrderWire
from trading.domain.errors import BrokerAuthError, BrokerRejected, BrokerUnavailable, OrderOutcomeUnknown
from trading.domain.orders import OrderChange, OrderIntent, OrderType, Side

HTML = raw("502 Bad Gateway\r\nContent-Type: text/html", b"<html>nginx tokenofalice</html>")
NO_CONTENT_TYPE = raw("200 OK", b'{"status": "success", "data": {"order_id": "1"}}')
UNUSABLE: dict[str, Behaviour] = {
    "html": HTML,
    "html with 200": raw("200 OK\r\nContent-Type: text/html", b"<html>maintenance</html>"),
    "no content type": NO_CONTENT_TYPE,
    "no data": says({"status": "success"}),
    "list at the root": says([1, 2]),
    "text at the root": says("fine"),
    "broken json": raw("200 OK\r\nContent-Type: application/json", b'{"status": "succ'),
    "empty body": raw("200 OK\r\nContent-Type: application/json"),
    "error without message": says({"status": "error", "error_type": None}, "500 Internal Server Error"),
    "redirect": raw("302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Type: text/html"),
    "500": refuses("500 Internal Server Error", "GeneralException", "Something unexpected happened."),
    "reset": resets,
    "breaks off": breaks_off,
}
WRONG_DATA: dict[str, Behaviour] = {"data null": data(None), "data a list": data([]), "data a number": data(7)}


async def test_an_order_goes_out_once_with_tag_protection_and_every_field_said(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    kite.will(data({"order_id": "2511230000000000102"}))

    assert await broker.place(replace(intent, algo_id="ALGO9")) == "2511230000000000102"

    (heard,) = kite.heard
    assert (heard.method, heard.path) == ("POST", "/orders/regular")
    assert heard.headers["authorization"] == f"token keyofalice:{ACCESS_TOKEN}"
    assert heard.headers["x-kite-version"] == "3"
    assert {name: value for name, (value,) in heard.form.items()} == {
        "variety": "regular",
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "transaction_type": "BUY",
        "quantity": "10",
        "product": "MIS",
        "order_type": "MARKET",
        "validity": "DAY",
        "market_protection": "-1",
        "tag": intent.tag,
        "algo_id": "ALGO9",
    }


async def test_a_limit_order_has_its_price_in_full_and_no_protection(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    kite.will(data({"order_id": "1"}))

    await broker.place(replace(intent, order_type=OrderType.LIMIT, price=Decimal("1E+3"), side=Side.SELL))

    form = kite.heard[0].form
    assert (form["price"], form["order_type"], form["transaction_type"]) == (["1000"], ["LIMIT"], ["SELL"])
    assert "market_protection" not in form
    assert "algo_id" not in form


async def test_a_wider_protection_is_sent_in_percent(broker: KiteBroker, kite: FakeKite, intent: OrderIntent) -> None:
    kite.will(data({"order_id": "1"}))

    await broker.place(replace(intent, protection_percent=Decimal("2.50")))

    assert kite.heard[0].form["market_protection"] == ["2.50"]


async def test_an_order_that_kite_could_not_understand_is_never_sent(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    elsewhere = replace(intent, key=replace(intent.key, instrument="NASDAQ:AAPL"))

    with pytest.raises(BrokerRejected, match="was not sent"):
        await broker.place(elsewhere)

    assert kite.heard == []


async def test_a_stop_goes_out_with_its_trigger_and_its_limit(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    kite.will(data({"order_id": "1"}))

    stop = replace(intent, order_type=OrderType.SL, price=Decimal("1500"), trigger_price=Decimal("1490.50"))
    await broker.place(stop)

    form = kite.heard[0].form
    assert (form["order_type"], form["price"], form["trigger_price"]) == (["SL"], ["1500"], ["1490.50"])
    assert "market_protection" not in form


async def test_a_change_says_every_field_that_changes_and_no_other(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(data({"order_id": "7"}))

    await broker.modify("7", OrderChange(OrderType.LIMIT, price=Decimal("1470.05"), quantity=60))
    await broker.modify("7", OrderChange(OrderType.MARKET, protection_percent=Decimal(3)))

    limit, market = ({name: value for name, (value,) in heard.form.items()} for heard in kite.heard)
    same = {"variety": "regular", "order_id": "7", "validity": "DAY"}
    assert limit == same | {"order_type": "LIMIT", "price": "1470.05", "quantity": "60"}
    assert market == same | {"order_type": "MARKET", "market_protection": "3"}
    assert [(heard.method, heard.path) for heard in kite.heard] == [("PUT", "/orders/regular/7")] * 2


@pytest.mark.parametrize("name", [*UNUSABLE, *WRONG_DATA])
async def test_a_change_whose_answer_is_unusable_is_unknown(broker: KiteBroker, kite: FakeKite, name: str) -> None:
    kite.will((UNUSABLE | WRONG_DATA)[name])

    with pytest.raises(OrderOutcomeUnknown, match="change of 7"):
        await broker.modify("7", OrderChange(OrderType.LIMIT, price=Decimal(1)))


@pytest.mark.proves("F14", "F33", "I3")
@pytest.mark.parametrize("name", [*UNUSABLE, *WRONG_DATA])
async def test_an_order_whose_answer_is_unusable_is_unknown_and_sent_once(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent, name: str
) -> None:
    kite.will((UNUSABLE | WRONG_DATA)[name])

    with pytest.raises(OrderOutcomeUnknown, match=intent.tag):
        await broker.place(intent)

    assert len(kite.heard) == 1


@pytest.mark.proves("F14", "F33", "I3")
async def test_whatever_breaks_in_our_own_wire_leaves_the_order_unknown(
    broker: KiteBroker, intent: OrderIntent
) -> None:
    """Nobody can say that not a byte of it had left."""

    class Broken(OrderWire):
        async def place(self, params: Mapping[str, Any]) -> Any:
            raise RuntimeError("the loop is closed")

    broker._order_wire = Broken("key", "token", root="http://127.0.0.1:1", deadline_s=1)

    with pytest.raises(OrderOutcomeUnknown, match=intent.tag):
        await broker.place(intent)


@pytest.mark.proves("F11", "F55", "I3")
@pytest.mark.parametrize("silence", [hangs, drips])
async def test_an_order_that_is_not_answered_in_time_is_unknown_and_the_next_call_does_not_wait_for_it(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent, silence: Behaviour
) -> None:
    kite.will(silence, data([]))

    async with asyncio.timeout(SILENCE_LASTS_S / 2):
        with pytest.raises(OrderOutcomeUnknown, match=intent.tag):
            await broker.place(intent)
        assert await broker.orders() == []

    assert [one.method for one in kite.heard] == ["POST", "GET"]


@pytest.mark.proves("F20")
async def test_margin_and_holding_refusals_keep_their_own_words(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    for error_type in ("MarginException", "HoldingException"):
        kite.will(refuses("400 Bad Request", error_type, "Insufficient funds. Required margin is 9500.00"))

        with pytest.raises(BrokerRejected, match="Required margin is 9500") as refusal:
            await broker.place(intent)

        assert (refusal.value.error_type, refusal.value.status) == (error_type, 400)


async def test_a_stale_second_factor_asks_for_a_login(broker: KiteBroker, kite: FakeKite, intent: OrderIntent) -> None:
    kite.will(refuses("403 Forbidden", "TwoFAException", "Two factor authentication is stale."))

    with pytest.raises(BrokerAuthError) as refusal:
        await broker.place(intent)

    assert refusal.value.error_type == "TwoFAException"


@pytest.mark.proves("F28", "F33")
@pytest.mark.parametrize("name", [*UNUSABLE, "data null", "data a number"])
async def test_a_read_whose_answer_is_unusable_is_unavailable_and_never_empty(
    broker: KiteBroker, kite: FakeKite, name: str
) -> None:
    kite.will((UNUSABLE | WRONG_DATA)[name])

    for read in (broker.orders, broker.trades, broker.positions):
        with pytest.raises(BrokerUnavailable):
            await read()


@pytest.mark.proves("F28", "F33")
async def test_one_row_that_cannot_be_read_spoils_the_whole_book(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(data([*load("orders"), {"order_id": "9", "status": "OPEN"}]))

    with pytest.raises(BrokerUnavailable, match="order 9 could not be read"):
        await broker.orders()


async def test_books_are_read(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(data(load("orders")), data(load("trades")), data(load("positions")))

    orders, trades, positions = await broker.orders(), await broker.trades(), await broker.positions()

    assert [one.order_id for one in orders] == ["261123000000101", "2511230000000000102", "261123000000103"]
    assert [one.trade_id for one in trades] == ["10000001"]
    assert [one.net_quantity for one in positions] == [-40, 0]
    assert [one.path for one in kite.heard] == ["/orders", "/trades", "/portfolio/positions"]


async def test_a_cancel_says_the_order_and_takes_the_answer(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(data({"order_id": "261123000000103"}))

    await broker.cancel("261123000000103")

    assert (kite.heard[0].method, kite.heard[0].path) == ("DELETE", "/orders/regular/261123000000103")


@pytest.mark.parametrize("answer", [HTML, resets, data(None)])
async def test_a_cancel_without_a_usable_answer_may_be_tried_again(
    broker: KiteBroker, kite: FakeKite, answer: Behaviour
) -> None:
    kite.will(answer)

    with pytest.raises(BrokerUnavailable, match="cancel of 1"):
        await broker.cancel("1")


async def test_last_prices_of_many_instruments_keep_to_one_request_a_second(
    broker: KiteBroker, kite: FakeKite, clock: HastyClock
) -> None:
    kite.will(data({"NSE:A1": {"instrument_token": 1, "last_price": 10.05}}), data({}))

    prices = await broker.last_prices([f"NSE:A{n}" for n in range(300)])

    assert prices == {"NSE:A1": Decimal("10.05")}
    assert [len(one.query["i"]) for one in kite.heard] == [250, 50]
    assert len(clock.slept) == 1
    assert 0.9 < clock.slept[0] <= 1


async def test_candles_are_asked_for_in_indian_time(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(data(load("candles")))

    candles = await broker.candles(
        408065, datetime(2026, 11, 19, 18, 30, tzinfo=UTC), datetime(2026, 11, 23, 4, 0, tzinfo=UTC), "day"
    )

    assert [candle.high for candle in candles] == [Decimal("1571.25"), Decimal(1565)]
    assert kite.heard[0].path == "/instruments/historical/408065/day"
    assert (kite.heard[0].query["from"], kite.heard[0].query["to"]) == (
        ["2026-11-20 00:00:00"],
        ["2026-11-23 09:30:00"],
    )


async def test_candles_above_the_keys_budget_are_asked_for_again_a_second_later(
    broker: KiteBroker, kite: FakeKite, clock: HastyClock
) -> None:
    too_many = refuses("429 Too Many Requests", "NetworkException", "Too many requests")
    when = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    kite.will(too_many, too_many, data(load("candles")))

    assert len(await broker.candles(408065, when, when, "day")) == 2
    assert clock.slept.count(1.0) == 2

    kite.will(too_many)
    with pytest.raises(BrokerUnavailable, match="Too many requests"):
        await broker.candles(408065, when, when, "day")
    assert len(kite.heard) == 3 + 5


async def test_the_instrument_dump_is_given_as_it_came(broker: KiteBroker, kite: FakeKite) -> None:
    csv = (PAYLOADS / "instruments.csv").read_bytes()
    kite.will(raw("200 OK\r\nContent-Type: text/csv", csv))

    assert await broker.instrument_dump() == csv


async def test_a_dump_that_breaks_off_is_unavailable(broker: KiteBroker, kite: FakeKite) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 5000\r\n\r\ninstrument_token,")
        await writer.drain()
        writer.transport.close()

    kite.will(cut)

    with pytest.raises(BrokerUnavailable):
        await broker.instrument_dump()


async def test_profile_and_funds_are_read(broker: KiteBroker, kite: FakeKite) -> None:
    margins = {"net": 5, "available": {"opening_balance": 7}, "utilised": {"debits": 2}}
    kite.will(data({"user_id": "AB1001", "user_name": "Asha", "email": "a@b"}), data(margins))

    assert (await broker.profile()).name == "Asha"
    assert (await broker.funds()).available == Decimal(5)


async def test_calls_of_one_account_follow_one_another(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(kite.slowly([], 0.02))

    await asyncio.gather(*(broker.orders() for _ in range(5)))

    assert (kite.most_at_once, len(kite.heard)) == (1, 5)


async def test_the_environments_proxy_and_netrc_are_not_used(
    broker: KiteBroker, kite: FakeKite, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    kite.will(data([]))

    await broker.orders()

    assert kite.heard[0].headers["authorization"].startswith("token ")


@pytest.mark.parametrize("name", ["html", "reset", "broken json", "500"])
async def test_no_error_and_no_log_line_holds_a_token_or_a_body(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    kite.will(UNUSABLE[name])

    with caplog.at_level(logging.DEBUG), pytest.raises(OrderOutcomeUnknown) as unknown:
        await broker.place(intent)

    told = caplog.text + repr(unknown.value) + repr(unknown.value.__cause__) + repr(unknown.value.__context__)
    assert ACCESS_TOKEN not in told
    assert "nginx" not in told


async def test_an_error_that_was_told_is_not_logged_again_when_it_is_forgotten(
    broker: KiteBroker, kite: FakeKite, caplog: pytest.LogCaptureFixture
) -> None:
    kite.will(refuses("500 Internal Server Error", "GeneralException", "Something unexpected happened."), hangs, resets)

    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            await broker.orders()
    gc.collect()

    assert "never retrieved" not in caplog.text


async def test_a_caller_that_gives_up_leaves_the_account_usable(broker: KiteBroker, kite: FakeKite) -> None:
    kite.will(hangs, data([]))
    waiting = asyncio.create_task(broker.orders())
    await asyncio.sleep(0.1)

    waiting.cancel()

    async with asyncio.timeout(SILENCE_LASTS_S / 2):
        assert await broker.orders() == []
